import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { syncFolder } from "./writeFileAtomic.ts";

/** A file that is written and not yet in its place. Disposed of without `commit` it is gone. */
export interface StagedFile extends Disposable {
  /**
   * Puts it in its place (rename(2), or link(2) where nothing is to be replaced).
   *
   * @throws the system's error, EEXIST when something is there that isn't to be replaced.
   */
  commit(options: { readonly replace: boolean }): void;
}

/**
 * Writes a file beside the place where it is to be, so that putting it there can't fail for want of
 * space or rights. What an earlier process that died has left beside it is removed.
 *
 * @throws the system's error; nothing is left then.
 */
export function stageFile(path: string, text: string, mode: number): StagedFile {
  const folder = dirname(path);
  const prefix = `.${basename(path)}.new-`;
  for (const name of readdirSync(folder))
    if (name.startsWith(prefix) && !isAlive(name.slice(prefix.length)))
      rmSync(join(folder, name), { force: true });
  const temporary = join(folder, `${prefix}${process.pid}-${randomBytes(6).toString("hex")}`);
  const drop = (): void => rmSync(temporary, { force: true });
  try {
    const fd = openSync(temporary, "wx", mode);
    try {
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    drop();
    throw error;
  }
  return {
    commit: ({ replace }) => {
      if (replace) renameSync(temporary, path);
      else linkSync(temporary, path);
      drop();
      syncFolder(folder);
    },
    [Symbol.dispose]: drop,
  };
}

/** Whether the process whose number stands first still runs, so that its file is its own. */
function isAlive(rest: string): boolean {
  const pid = Number(/^(\d+)-/.exec(rest)?.[1] ?? "0");
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one, too.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
