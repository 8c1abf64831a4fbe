import { spawnSync } from "node:child_process";

/**
 * Why a test that needs this program is skipped, false where it is there. Where CI says that the
 * machine is complete nothing is skipped: the test runs, and fails for want of it.
 */
export function lacking(program: string, args: readonly string[]): string | false {
  if (process.env["CI"] === "true") return false;
  return spawnSync(program, [...args]).status === 0 ? false : `${program} is missing`;
}
