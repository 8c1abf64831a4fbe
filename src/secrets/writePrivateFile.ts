import { randomBytes } from "node:crypto";
import { link, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { SecretError } from "./SecretError.ts";

/**
 * Puts `bytes` at `file` with mode 0600, whole or not at all: written beside it, synced, renamed
 * over it, the folder synced (rename(2), fsync(2)). When it fails, what was there is still there.
 *
 * `replace: false` makes a new file and fails when there is one.
 *
 * @throws SecretError `disk`; `exists` when `replace` is false
 */
export async function writePrivateFile(
  file: string,
  bytes: Uint8Array,
  { replace }: { readonly replace: boolean },
): Promise<void> {
  const folder = dirname(file);
  const temporary = join(folder, `${temporaryPrefix(file)}${randomBytes(8).toString("hex")}`);
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (replace) await rename(temporary, file);
    // link(2) refuses an existing name, which rename(2) would replace.
    else await link(temporary, file);
    await syncFolder(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST" && !replace) {
      throw new SecretError("exists", `there is already a file at "${file}"`, {
        hint: "name another place, or remove it first",
      });
    }
    throw diskError(file, cause);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** Removes what a writer that died left beside `file`. Only for whoever holds the vault's lock. */
export async function removeLeftovers(file: string): Promise<void> {
  const folder = dirname(file);
  for (const name of await readdir(folder).catch(() => [])) {
    if (name.startsWith(temporaryPrefix(file))) await rm(join(folder, name), { force: true });
  }
}

function temporaryPrefix(file: string): string {
  return `.${basename(file)}.new-`;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A write that failed, with the reason in words where the system's code has a usual one. */
export function diskError(file: string, cause: unknown): SecretError {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  const reason =
    {
      ENOSPC: "no space is left on the disk",
      EDQUOT: "the disk quota is used up",
      EFBIG: "the file-size limit is reached",
      EROFS: "the file system is read-only",
      EACCES: "permission is denied",
      EPERM: "permission is denied",
      EIO: "the disk reports an error",
    }[code] ?? "the system refuses";
  return new SecretError("disk", `can't write "${file}": ${reason}`, {
    cause,
    hint: "nothing was changed; make room or access, then try again",
  });
}
