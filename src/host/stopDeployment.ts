import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { askSupervisor, readAddress } from "./control/index.ts";
import { HostError } from "./HostError.ts";
import type { StatePaths } from "../paths/index.ts";

const POLL_MS = 20;
const PATIENCE_MS = 60_000;

/**
 * Stops every bot, the broker and the supervisor, and comes back when all of them have gone.
 *
 * @throws HostError `not-running`, `still-running` after a minute, and what the supervisor reports.
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
  while (existsSync(`/proc/${pid}`)) {
    if (performance.now() > deadline)
      throw new HostError("still-running", `the supervisor, process ${pid}, does not end`, {
        hint: `see what it waits for in ${paths.logs}, or end it with: kill -9 ${pid}`,
      });
    await wait(POLL_MS);
  }
}
