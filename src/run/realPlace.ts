import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Where a path leads: links followed as far as there is something, the rest as it is named. */
export function realPlace(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(realPlace(folder), basename(path));
  }
}
