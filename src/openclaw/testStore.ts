import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ensureOpenClaw, type InstalledOpenClaw } from "./ensureOpenClaw.ts";
import { latestPin, readPin, type OpenClawPin } from "./Pin.ts";

/**
 * The real OpenClaw, installed once and kept for all tests, in the folder that
 * `SEAWALL_TEST_STORE` names, by default `build/test-store`.
 */
export async function testOpenClaw(): Promise<{ pin: OpenClawPin; installed: InstalledOpenClaw }> {
  const store =
    process.env["SEAWALL_TEST_STORE"] ??
    fileURLToPath(new URL("../../build/test-store", import.meta.url));
  mkdirSync(store, { recursive: true });
  const pin = readPin(latestPin());
  return { pin, installed: await ensureOpenClaw(pin, store) };
}
