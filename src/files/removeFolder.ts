import { existsSync, rmSync } from "node:fs";

const TRIES = 100;

/**
 * Removes a folder with all that is in it. `rmSync` alone stops without a word where somebody else
 * removes a file of it at the same moment (Node 24: it takes that for "was not there").
 */
export function removeFolder(folder: string): void {
  for (let tries = 0; tries < TRIES && existsSync(folder); tries++)
    rmSync(folder, { recursive: true, force: true });
}
