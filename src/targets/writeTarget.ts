import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { syncFolder, writeFileAtomic } from "../files/index.ts";
import type { TargetFile } from "./Target.ts";
import { TargetError } from "./TargetError.ts";

/**
 * Writes a target's files into `folder`, which appears whole or not at all: they are written beside
 * it and renamed. It must not exist, or be empty.
 *
 * @throws TargetError `disk`
 */
export function writeTarget(files: readonly TargetFile[], folder: string): void {
  const place = resolve(folder);
  let temporary: string | undefined;
  try {
    mkdirSync(dirname(place), { recursive: true });
    temporary = mkdtempSync(join(dirname(place), `.${basename(place)}.`));
    chmodSync(temporary, 0o755);
    for (const { path, mode, bytes } of files) {
      const file = join(temporary, path);
      mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
      writeFileAtomic(file, bytes, mode);
    }
    if (isEmptyFolder(place)) rmdirSync(place);
    renameSync(temporary, place);
    syncFolder(dirname(place));
  } catch (cause) {
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
    const taken = ["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(
      String((cause as NodeJS.ErrnoException).code),
    );
    throw new TargetError("disk", `the files can't be written to "${folder}"`, {
      where: place,
      hint: taken
        ? "name a folder that doesn't exist yet"
        : "look at its permissions and the room there",
      cause,
    });
  }
}

function isEmptyFolder(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
