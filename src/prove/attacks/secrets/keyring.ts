import type { Attack } from "../../Attack.ts";
import { judge } from "../../inside/attempt.ts";
import { held, MARKER, through } from "../../inside/findings.ts";

const KEYCTL_SEARCH = 10;
const KEYCTL_READ = 11;
const SESSION_KEYRING = -3;

export const keyring: Attack = {
  name: "keyring",
  group: "secrets",
  tries: "read a key from the kernel's keyrings of whoever started it",
  run: ({ kernel, field }) => {
    const description = field.keyring?.description ?? "none";
    const found = kernel.call("keyctl", KEYCTL_SEARCH, SESSION_KEYRING, "user", description, 0);
    const serial = "value" in found ? found.value : (field.keyring?.serial ?? 0);
    const bytes = Buffer.alloc(256);
    const read = kernel.call("keyctl", KEYCTL_READ, serial, bytes, bytes.length, 0);
    if (MARKER.test(bytes.toString("latin1"))) return through("read a planted key");
    if ("value" in read) return held("kernel", "the key is another one");
    return judge(kernel, "keyctl", read, { otherwise: "kernel" });
  },
};
