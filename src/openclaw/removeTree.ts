import { chmodSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Removes a file or folder, read-only folders included. Nothing happens when there is none. */
export function removeTree(path: string): void {
  makeFoldersWritable(path);
  rmSync(path, { recursive: true, force: true });
}

/** An ordinary user can't remove what lies in a folder of mode 0555. Links are not followed. */
function makeFoldersWritable(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return;
  chmodSync(path, 0o700);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) makeFoldersWritable(join(path, entry.name));
  }
}
