import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ensureOpenClaw, readPin } from "../../src/openclaw/index.ts";

const BESIDE_BUILD = resolve(import.meta.dirname, "../../build/test-store");
/** For a clone that root keeps where no other user gets to, as in /root. */
const FOR_PRIVATE_CLONES = "/var/tmp/seawall-test-store";

/**
 * Where tests keep OpenClaw between runs: installing it takes 40 s and 650 MB. What is there is
 * checked against the pin before each use, like any store.
 */
export function testStore(): string {
  const folder =
    process.env["SEAWALL_TEST_STORE"] ??
    (process.getuid?.() === 0 && !isOpenToAll(dirname(dirname(BESIDE_BUILD)))
      ? FOR_PRIVATE_CLONES
      : BESIDE_BUILD);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The same for a machine that has neither npm nor a registry. */
export async function filledStore(): Promise<string> {
  const folder = testStore();
  await ensureOpenClaw(readPin("2026.9.6"), folder);
  return folder;
}

/** Whether every user can pass through all of `folder`'s path. */
function isOpenToAll(folder: string): boolean {
  if ((statSync(folder).mode & 0o001) === 0) return false;
  return folder === dirname(folder) || isOpenToAll(dirname(folder));
}
