import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { askSupervisor, readAddress } from "./control/index.ts";
import { HostError } from "./HostError.ts";
import type { StatePaths } from "../paths/index.ts";

const POLL_MS = 20;
const SLOW_POLL_MS = 500;
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
  while (isThere(pid)) {
    if (performance.now() > deadline)
      throw new HostError("still-running", `the supervisor, process ${pid}, does not end`, {
        hint: `see what it waits for in ${paths.logs}, or end it with: kill -9 ${pid}`,
      });
    await wait(POLL_MS);
  }
}

/** Waits for as long as the supervisor runs that runs now. */
export async function supervisorEnds(paths: StatePaths): Promise<"ended"> {
  const pid = readAddress(paths)?.pid;
  if (pid === undefined) return "ended";
  while (isThere(pid)) await wait(SLOW_POLL_MS);
  return "ended";
}

function isThere(pid: number): boolean {
  if (process.platform === "linux") return existsSync(`/proc/${pid}`);
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
