import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes a whole file or nothing: a temporary file beside it, fsync, rename, fsync of the folder
 * (rename(2): an observer sees the old file or the new one). On any failure the temporary file is
 * removed, what was there before stays, and the system's error is thrown.
 *
 * @param mode permission bits, set from the first byte on whatever the umask.
 */
export function writeFileAtomic(path: string, bytes: string | Uint8Array, mode: number): void {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  const fd = openSync(temporary, "wx", mode);
  try {
    try {
      const buffer = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
      for (let at = 0; at < buffer.length;) at += writeSync(fd, buffer, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** Makes a rename or a new entry in `folder` survive a power cut. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
