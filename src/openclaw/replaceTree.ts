import { chmodSync, existsSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { syncFolder } from "../files/index.ts";

/**
 * Puts the finished folder `from` at `to`, read-only (0555). What is at `to` is moved to `aside`
 * first: whoever uses it keeps its open files. All three are on the same file system.
 *
 * The mode changes last and is given back first, because moving a folder takes the right to write
 * it (rename(2): its `..` changes), which only root has in spite of the mode.
 */
export function replaceTree(from: string, to: string, aside: string): void {
  if (existsSync(to)) {
    chmodSync(to, 0o755);
    renameSync(to, aside);
  }
  renameSync(from, to);
  chmodSync(to, 0o555);
  syncFolder(dirname(to));
}
