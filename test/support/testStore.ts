import { mkdirSync } from "node:fs";
import { resolve } from "node:path";

/**
 * Where tests keep OpenClaw between runs: installing it takes 40 s and 650 MB. What is there is
 * checked against the pin before each use, like any store.
 */
export function testStore(): string {
  const folder = resolve(
    process.env["SEAWALL_TEST_STORE"] ?? resolve(import.meta.dirname, "../../build/test-store"),
  );
  mkdirSync(folder, { recursive: true });
  return folder;
}
