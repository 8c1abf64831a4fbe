import { constants, type Stats } from "node:fs";
import { lstat, open } from "node:fs/promises";
import { dirname } from "node:path";
import { SecretError } from "./SecretError.ts";
import { quotePath } from "./trustedFile.ts";

/** What the file is to the reader, as in `vault "/path"`. */
export type PrivateKind = "vault" | "identity";

/**
 * Reads a file that only its owner may read: opened first, then judged by the open descriptor, so
 * nobody can exchange it between the look and the read. A link is not followed for the vault, which
 * gets replaced by renaming.
 *
 * @throws SecretError `missing`, `unreadable`, `unsafe-mode` (group or others may read or write it,
 * somebody else owns it, or it is not a regular file), `damaged` (longer than `limit` bytes)
 */
export async function readPrivateFile(
  kind: PrivateKind,
  file: string,
  limit: number,
): Promise<{ readonly bytes: Buffer; readonly stats: Stats }> {
  const follow = kind === "vault" ? constants.O_NOFOLLOW : 0;
  // O_NONBLOCK: opening a FIFO somebody left there must not wait for a writer (open(2)).
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | follow).catch(
    (cause: unknown) => {
      throw openError(kind, file, cause);
    },
  );
  try {
    const stats = await handle.stat();
    checkPrivate(kind, file, stats);
    if (stats.size > limit) {
      throw new SecretError("damaged", `${kind} "${file}" is too long to be one`);
    }
    const bytes = Buffer.alloc(stats.size);
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, at);
      if (bytesRead === 0) throw new SecretError("damaged", `${kind} "${file}" changed while read`);
      at += bytesRead;
    }
    return { bytes, stats };
  } catch (cause) {
    if (cause instanceof SecretError) throw cause;
    throw new SecretError("unreadable", `can't read ${kind} "${file}"`, { cause });
  } finally {
    await handle.close();
  }
}

/**
 * Checks the folder the vault lives in: whoever may write to it can exchange the vault.
 *
 * @throws SecretError `missing`, `unreadable`, `unsafe-mode`
 */
export async function checkPrivateFolder(folder: string): Promise<void> {
  const stats = await lstat(folder).catch((cause: unknown) => {
    throw openError("vault", folder, cause);
  });
  if (!stats.isDirectory()) {
    throw new SecretError("unsafe-mode", `"${folder}" is not a folder`);
  }
  checkOwner(`vault's folder "${folder}"`, folder, stats);
  if ((stats.mode & 0o022) !== 0) {
    throw new SecretError("unsafe-mode", `others may write to the vault's folder "${folder}"`, {
      hint: `chmod 700 ${quotePath(folder)}`,
    });
  }
}

function checkPrivate(kind: PrivateKind, file: string, stats: Stats): void {
  if (!stats.isFile()) {
    throw new SecretError("unsafe-mode", `${kind} "${file}" is not a regular file`);
  }
  if (isCredential(file, stats)) return;
  checkOwner(`${kind} "${file}"`, file, stats);
  if ((stats.mode & 0o077) !== 0) {
    throw new SecretError("unsafe-mode", `others may read or write ${kind} "${file}"`, {
      hint: `chmod 600 ${quotePath(file)}`,
    });
  }
}

/**
 * systemd hands a credential to its service alone, either as the service's own file or as root's
 * with an access control list for the service, whose mask looks like the group's right to read
 * (systemd 252, src/core/execute.c, write_credential()).
 */
function isCredential(file: string, stats: Stats): boolean {
  const directory = process.env["CREDENTIALS_DIRECTORY"];
  const inside = directory?.startsWith("/run/credentials/") === true;
  return inside && dirname(file) === directory && stats.uid === 0 && (stats.mode & 0o037) === 0;
}

function checkOwner(what: string, path: string, stats: Stats): void {
  const us = process.geteuid?.();
  if (us !== undefined && stats.uid !== us) {
    throw new SecretError("unsafe-mode", `${what} belongs to uid ${stats.uid}, not to ${us}`, {
      hint: `chown ${us} ${quotePath(path)}`,
    });
  }
}

function openError(kind: PrivateKind, path: string, cause: unknown): SecretError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new SecretError("missing", `there is no ${kind} at "${path}"`, {
      hint: "make one by storing a secret: seawall secret set NAME",
    });
  }
  if (code === "ELOOP") {
    return new SecretError("unsafe-mode", `${kind} "${path}" is a symbolic link`, {
      hint: "name the file it points to",
    });
  }
  return new SecretError("unreadable", `can't open ${kind} "${path}"`, { cause });
}
