import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const VERSION_3 = 0x2008_0522;
const EVERY = 0xffff_ffff;
const CAP_SYS_ADMIN = 1 << 21;

export const regainCapabilities: Attack = {
  name: "regain-capabilities",
  group: "escape",
  tries: "give itself CAP_SYS_ADMIN",
  run: ({ kernel }) => {
    const head = Uint32Array.of(VERSION_3, 0);
    // Effective, permitted, inheritable; twice, for 64 bits.
    const sets = Uint32Array.of(CAP_SYS_ADMIN, CAP_SYS_ADMIN, 0, 0, 0, 0).map((set) => set & EVERY);
    return attempt(kernel, [["capset", bytes(head), bytes(sets)]]);
  },
};

function bytes(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer);
}
