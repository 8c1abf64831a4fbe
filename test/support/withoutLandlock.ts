import type { RunOptions } from "./runSeawall.ts";
import { underRules } from "./underRules.ts";

const ENOSYS = 38;

/**
 * Runs a command as if on a kernel without Landlock: by a filter that everything it starts inherits
 * the first of its calls answers ENOSYS, as such a kernel does.
 *
 * @param folder for the launcher's policies.
 */
export function withoutLandlock(folder: string): NonNullable<RunOptions["through"]> {
  return underRules(folder, [["landlock_create_ruleset", { errno: ENOSYS }]]);
}
