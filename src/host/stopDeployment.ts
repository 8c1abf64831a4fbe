import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { askSupervisor, readAddress } from "./control/index.ts";
import type { StatePaths } from "../paths/index.ts";

const POLL_MS = 20;
const PATIENCE_MS = 10_000;

/**
 * Stops every bot, the broker and the supervisor, and comes back when all of them have gone.
 *
 * @throws HostError `not-running`, and what the supervisor reports.
 */
export async function stopDeployment(
  paths: StatePaths,
  onProgress?: (text: string) => void,
): Promise<void> {
  const pid = readAddress(paths)?.pid;
  await askSupervisor(paths, { verb: "down" }, onProgress);
  if (pid === undefined) return;
  // It answers first and ends then.
  const deadline = performance.now() + PATIENCE_MS;
  while (existsSync(`/proc/${pid}`) && performance.now() < deadline) {
    await wait(POLL_MS);
  }
}
