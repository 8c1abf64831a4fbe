import { spawnSync } from "node:child_process";

/** Why tests that run this checkout's own Node by `seawall run` are skipped: each wall has a /tmp that may be written. */
export const lacksPlace: string | false = process.execPath.startsWith("/tmp/")
  ? "this checkout lies in /tmp, and no program runs from there"
  : false;

/**
 * Why a test that needs this program is skipped, false where it is there. Where CI says that the
 * machine is complete nothing is skipped: the test runs, and fails for want of it.
 */
export function lacking(program: string, args: readonly string[]): string | false {
  if (process.env["CI"] === "true") return false;
  return spawnSync(program, [...args]).status === 0 ? false : `${program} is missing`;
}
