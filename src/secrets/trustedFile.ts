import { constants, type Stats } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { SecretError } from "./SecretError.ts";

/** As Linux has it (path_resolution(7)). */
const MOST_LINKS = 40;

export interface TrustRules {
  /** What the file is in errors, as `file` or `identity`. */
  readonly what: string;
  readonly limit: number;
  /**
   * `secret`: the owner alone may read it, and no bot. `encrypted`: whoever may read it, only its
   * replacement would do harm.
   */
  readonly holds: "secret" | "encrypted";
  readonly botReadable?: readonly string[];
  /** systemd gives credentials to a service's user by an ACL, which shows as the group's right. */
  readonly acl?: boolean;
}

/**
 * Reads a file after looking at each step of the way to it: no step may be one that somebody other
 * than root and us could exchange. Links are followed where they are root's or ours, as agenix and
 * sops-nix make them (`/run/agenix` leads to the folder of a generation), and their way is looked at
 * in the same manner.
 *
 * @returns the bytes, and the path without links.
 * @throws SecretError `missing`, `unreadable`, `unsafe-mode`, `unsafe-link`, `bot-readable`,
 * `oversized-value`
 */
export async function readTrustedFile(
  path: string,
  rules: TrustRules,
): Promise<{ readonly bytes: Buffer; readonly path: string }> {
  const real = await trustedPath(path, rules.what);
  if (rules.holds === "secret") checkReach(real, rules);
  // The way is nobody else's to change, so this opens what was looked at; a FIFO doesn't block it.
  const handle = await open(
    real,
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  ).catch((cause: unknown) => {
    throw pathError(rules.what, path, cause);
  });
  try {
    const stats = await handle.stat();
    checkFile(real, stats, rules);
    if (stats.size > rules.limit) {
      throw new SecretError("oversized-value", `${rules.what} "${real}" is too long to be one`);
    }
    // Also what has no size before it is read; one byte more tells whether that is all.
    const bytes = Buffer.alloc(rules.limit + 1);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    const whole = Buffer.from(bytes.subarray(0, length));
    bytes.fill(0, 0, length);
    if (length > rules.limit) {
      whole.fill(0);
      throw new SecretError("oversized-value", `${rules.what} "${real}" is too long to be one`);
    }
    return { bytes: whole, path: real };
  } catch (cause) {
    if (cause instanceof SecretError) throw cause;
    throw new SecretError("unreadable", `can't read ${rules.what} "${path}"`, { cause });
  } finally {
    await handle.close();
  }
}

/**
 * Follows `path` step by step to where it leads.
 *
 * @throws SecretError `missing`, `unreadable`; `unsafe-mode` where somebody else may put another thing
 * at one of the steps, `unsafe-link` where somebody else owns a link.
 */
export async function trustedPath(path: string, what: string): Promise<string> {
  let links = 0;
  let at = "/";
  let left = resolve("/", path)
    .split("/")
    .filter((step) => step !== "");
  await checkFolder(at, what, path);
  for (;;) {
    const [step, ...rest] = left;
    if (step === undefined) return at;
    const next = join(at, step);
    const stats = await lstat(next).catch((cause: unknown) => {
      throw pathError(what, path, cause);
    });
    if (stats.isSymbolicLink()) {
      checkLink(next, stats, what);
      if (++links > MOST_LINKS) {
        throw new SecretError("unsafe-link", `${what} "${path}" leads in a circle`);
      }
      const target = resolve(at, await readlink(next));
      left = [...target.split("/").filter((part) => part !== ""), ...rest];
      at = "/";
      continue;
    }
    if (rest.length > 0) await checkFolder(next, what, path);
    at = next;
    left = rest;
  }
}

async function checkFolder(folder: string, what: string, path: string): Promise<void> {
  const stats = await lstat(folder).catch((cause: unknown) => {
    throw pathError(what, path, cause);
  });
  if (!stats.isDirectory()) throw pathError(what, path, { code: "ENOTDIR" });
  // In a sticky folder (/tmp) only its owner can exchange an entry (unlink(2)).
  const sticky =
    (stats.mode & constants.S_IFMT) === constants.S_IFDIR && (stats.mode & 0o1000) !== 0;
  const others = (stats.mode & 0o022) !== 0 && !sticky;
  if (!others && isTrusted(stats.uid)) return;
  throw new SecretError(
    "unsafe-mode",
    `${what} "${path}" lies in "${folder}", where others could exchange it`,
    { hint: `chmod go-w ${quotePath(folder)}, or chown it to root or to yourself` },
  );
}

function checkLink(link: string, stats: Stats, what: string): void {
  if (isTrusted(stats.uid)) return;
  throw new SecretError(
    "unsafe-link",
    `the way to the ${what} goes by the link "${link}" of uid ${stats.uid}`,
    { hint: "name the place it leads to" },
  );
}

function checkFile(file: string, stats: Stats, { what, holds, acl = false }: TrustRules): void {
  const named = `${what} "${file}"`;
  if (!stats.isFile()) throw new SecretError("unsafe-mode", `${named} is not a regular file`);
  if (!isTrusted(stats.uid)) {
    throw new SecretError("unsafe-mode", `${named} belongs to uid ${stats.uid}`, {
      hint: `chown ${process.geteuid?.() ?? 0} ${quotePath(file)}`,
    });
  }
  if ((stats.mode & 0o022) !== 0) {
    throw new SecretError("unsafe-mode", `others may write ${named}`, {
      hint: `chmod go-w ${quotePath(file)}`,
    });
  }
  if (holds === "encrypted") return;
  const reading = acl && stats.uid === 0 ? 0o007 : 0o077;
  if ((stats.mode & reading) !== 0) {
    throw new SecretError("unsafe-mode", `others may read ${named}`, {
      hint: `chmod 400 ${quotePath(file)}`,
    });
  }
}

/** What lies in the Nix store everybody may read, whatever made it; what is mounted for bots they may. */
function checkReach(real: string, { what, botReadable = [] }: TrustRules): void {
  const folder = ["/nix/store", ...botReadable].find((each) => real.startsWith(`${each}/`));
  if (folder === undefined) return;
  const store = folder === "/nix/store";
  throw new SecretError(
    "bot-readable",
    store
      ? `${what} "${real}" is in the Nix store, which everybody can read`
      : `${what} "${real}" is in "${folder}", which a bot can read`,
    {
      hint: store
        ? "have it replaced, and keep it with agenix or sops-nix"
        : `move it out of there, to a folder such as ${dirname("/etc/seawall/secrets/x")}`,
    },
  );
}

function isTrusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

function pathError(what: string, path: string, cause: unknown): SecretError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new SecretError("missing", `there is no ${what} at "${path}"`, {
      hint: "look at the path in the declaration",
    });
  }
  if (code === "ELOOP") {
    return new SecretError("unsafe-link", `${what} "${path}" is a symbolic link`);
  }
  return new SecretError("unreadable", `can't open ${what} "${path}"`, {
    cause: cause instanceof Error ? cause : undefined,
  });
}

/** A path as a shell takes it. */
export function quotePath(path: string): string {
  return /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
