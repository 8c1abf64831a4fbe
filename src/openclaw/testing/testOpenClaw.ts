import { testStore } from "../../../test/support/testStore.ts";
import { ensureOpenClaw, type InstalledOpenClaw } from "../ensureOpenClaw.ts";
import { latestPin, readPin, type OpenClawPin } from "../Pin.ts";

/**
 * The real OpenClaw, installed once and kept for all tests.
 */
export async function testOpenClaw(): Promise<{ pin: OpenClawPin; installed: InstalledOpenClaw }> {
  const store = testStore();
  const pin = readPin(latestPin());
  return { pin, installed: await ensureOpenClaw(pin, store) };
}
