import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Finding } from "./Attack.ts";
import { attacks } from "./attacks/index.ts";

const CONTROLS = fileURLToPath(new URL("./testing/controls.ts", import.meta.url));
const NAMESPACES = "--mount --net --pid --ipc --uts --fork --kill-child --mount-proc".split(" ");
const skip =
  process.getuid?.() === 0
    ? false
    : "only root can show what mounts, modules and the like do without a wall";

/**
 * What a machine may lack, so that the attack can't get through on it even without a wall: the
 * finding then says that it was the kernel or that nothing is there.
 */
const LACKING: Readonly<Record<string, { readonly what: string; readonly sign: RegExp }>> = {
  "load-module": { what: "a kernel with modules", sign: /^init_module\(\): ENOSYS$/ },
  "survive-others": { what: "CAP_SYS_RESOURCE for root", sign: /^write\(\): EACCES$/ },
  multicall: { what: "busybox", sign: /^none of the granted programs/ },
  vsock: { what: "a kernel with vsock", sign: /EAFNOSUPPORT/ },
  "32-bit-calls": { what: "32-bit system calls", sign: /this (kernel has none|machine)/ },
  "paste-into-console": { what: "a virtual console", sign: /ioctl\(\): (EINVAL|ENOTTY)/ },
};

type Control = Finding & { readonly name: string };

test("every attack gets through where there is no wall", { skip }, async (t) => {
  const controls = await runControls();
  assert.deepEqual(
    controls.map(({ name }) => name),
    attacks.map(({ name }) => name),
  );
  for (const { name, state, detail } of controls) {
    const lacking = LACKING[name];
    const missing = state !== "through" && lacking?.sign.test(detail) === true;
    await t.test(name, { skip: missing ? `needs ${lacking.what}` : false }, () => {
      assert.equal(state, "through", detail);
    });
    if (missing && process.env["CI"] === "true" && name === "multicall")
      assert.fail("busybox is declared present");
  }
  assert.deepEqual(globSync("seawall-controls-*", { cwd: tmpdir() }), []);
  assert.deepEqual(
    existsSync("/dev/shm") ? globSync("seawall-prove-*", { cwd: "/dev/shm" }) : [],
    [],
  );
});

async function runControls(): Promise<Control[]> {
  const child = spawn("unshare", [...NAMESPACES, process.execPath, CONTROLS], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject);
  child.once("close", resolve);
  assert.equal(await promise, 0);
  return JSON.parse(output) as Control[];
}
