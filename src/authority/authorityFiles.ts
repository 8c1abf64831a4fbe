import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { link, lstat, mkdir, open, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { reasonOf } from "../files/index.ts";
import { AuthorityError } from "./AuthorityError.ts";

/**
 * Makes the folder (0700) if need be and checks that nobody else may exchange what lies in it.
 *
 * @throws AuthorityError `disk`, `unsafe-mode`
 */
export async function preparePrivateFolder(folder: string): Promise<void> {
  const stats = await mkdir(folder, { recursive: true, mode: 0o700 })
    .then(() => lstat(folder))
    .catch((cause: unknown) => {
      throw diskError(`can't make the authority's folder "${folder}"`, cause);
    });
  if (!stats.isDirectory() || stats.uid !== process.geteuid?.() || (stats.mode & 0o022) !== 0) {
    throw new AuthorityError(
      "unsafe-mode",
      `others may write to the authority's folder "${folder}"`,
      {
        hint: `make it yours alone: chown ${process.geteuid?.()} ${folder} && chmod 700 ${folder}`,
      },
    );
  }
}

/**
 * Reads a file of the authority; undefined when there is none. Judged by the open descriptor, so it
 * can't be exchanged between the look and the read.
 *
 * @param forbidden mode bits that must not be set
 * @throws AuthorityError `unreadable`, `unsafe-mode`
 */
export async function readAuthorityFile(
  file: string,
  forbidden: number,
): Promise<string | undefined> {
  // O_NONBLOCK: opening a FIFO must not wait for a writer (open(2)).
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const handle = await open(file, flags).catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP") throw new AuthorityError("unsafe-mode", `"${file}" is a symbolic link`);
    throw new AuthorityError("unreadable", `can't open "${file}"`, { cause });
  });
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new AuthorityError("unsafe-mode", `"${file}" is not a regular file`);
    if (stats.uid !== process.geteuid?.()) {
      throw new AuthorityError("unsafe-mode", `"${file}" belongs to uid ${stats.uid}`, {
        hint: `chown ${process.geteuid?.()} ${file}`,
      });
    }
    if ((stats.mode & forbidden) !== 0) {
      throw new AuthorityError(
        "unsafe-mode",
        `others may ${forbidden === 0o077 ? "read" : "write"} "${file}"`,
        {
          hint: `chmod ${(0o666 & ~forbidden).toString(8)} ${file}`,
        },
      );
    }
    return await handle.readFile("utf8");
  } catch (cause) {
    if (cause instanceof AuthorityError) throw cause;
    throw new AuthorityError("unreadable", `can't read "${file}"`, { cause });
  } finally {
    await handle.close();
  }
}

/**
 * Puts `text` at `file`, whole, unless somebody else was first; then theirs stays. Written beside it
 * and linked into place: link(2) is atomic and refuses an existing name.
 *
 * @throws AuthorityError `disk`
 */
export async function publishOnce(file: string, text: string, mode: number): Promise<void> {
  const temporary = join(dirname(file), `${leftoverPrefix(file)}${randomBytes(8).toString("hex")}`);
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(temporary, file).catch((cause: unknown) => {
      // ENOENT: the one who was first has cleared ours away already.
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== "EEXIST" && code !== "ENOENT") throw cause;
    });
    const folder = await open(dirname(file), "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (cause) {
    throw diskError(`can't write "${file}"`, cause);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** Removes unfinished copies of `file`, once it is there: whoever makes one now has lost already. */
export async function removeUnfinished(file: string): Promise<void> {
  const folder = dirname(file);
  for (const name of await readdir(folder)) {
    if (name.startsWith(leftoverPrefix(file))) await rm(join(folder, name), { force: true });
  }
}

function leftoverPrefix(file: string): string {
  return `.${basename(file)}.new-`;
}

function diskError(what: string, cause: unknown): AuthorityError {
  const message = `${what}: ${reasonOf(cause) ?? "the system refuses"}`;
  return new AuthorityError("disk", message, {
    hint: "make room or access, then try again; what was there before is as it was",
    cause,
  });
}
