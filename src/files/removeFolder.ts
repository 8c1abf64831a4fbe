import { existsSync, rmSync } from "node:fs";

const TRIES = 500;
const PAUSE_MS = 10;

/**
 * Removes a folder with all that is in it. `rmSync` alone stops without a word where somebody else
 * removes a file of it at the same moment (Node 24: it takes that for "was not there").
 *
 * @throws what `rmSync` throws, when that stays so.
 */
export function removeFolder(folder: string): void {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 1; existsSync(folder); tries++) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      // Somebody else put something into a folder that was just emptied.
      if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY" || tries >= TRIES) throw error;
    }
    if (tries >= TRIES) return;
    if (existsSync(folder)) Atomics.wait(sleeper, 0, 0, PAUSE_MS);
  }
}
