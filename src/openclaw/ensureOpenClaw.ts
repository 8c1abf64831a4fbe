import { execFile } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  statfsSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { installTree, missingPackages } from "./installTree.ts";
import { makeReadOnly } from "./makeReadOnly.ts";
import { hashPrefix, narHash } from "./nar.ts";
import { OpenClawError } from "./OpenClawError.ts";
import { thisPlatform, type OpenClawPin, type Platform } from "./Pin.ts";
import { removeTree } from "./removeTree.ts";
import { replaceTree } from "./replaceTree.ts";
import { treeStamp } from "./treeStamp.ts";
import { isStamped, stampRenamed, verifyTree } from "./verifyTree.ts";
import { withStoreLock } from "./withStoreLock.ts";

/** An OpenClaw that has been checked against its pin. */
export interface InstalledOpenClaw {
  readonly version: string;
  /** Read-only folder that holds `node_modules`; every bot sees it, none may write it. */
  readonly root: string;
  /** The program to give to Node. */
  readonly entry: string;
  /** SRI sha256 over the NAR of `root`. */
  readonly narHash: string;
}

export type InstallProgress =
  /** Another process works on the same store. */
  | { readonly phase: "waiting" }
  /** Packages that have begun to be unpacked. */
  | { readonly phase: "downloading"; readonly done: number; readonly total: number }
  /** Bytes read for the hash. */
  | { readonly phase: "checking"; readonly done: number; readonly total: number }
  | { readonly phase: "saving" };

export interface InstallOptions {
  readonly onProgress?: (progress: InstallProgress) => void;
  /**
   * An installed tree that is copied instead of asking the registry. Whose it is doesn't matter: only
   * what has the pin's hash gets into the store. Nobody may change it meanwhile.
   */
  readonly tree?: string;
}

/** Prefixes of folders that only a process holding the store's lock has any business with. */
const UNFINISHED = ".unfinished-";

/**
 * Makes sure that the pinned OpenClaw lies in the store, unchanged, and says where.
 *
 * The folder is `<store>/openclaw-<version>-<hash prefix>`. Present and stamped: a matter of a
 * second. Present without a stamp: read in full against the pin's hash. Absent, or not what the pin
 * names: installed by npm beside it, hashed, made read-only, synced to disk and renamed into place,
 * so that the path never holds half of anything. What a killed process left is removed. Only one
 * process at a time works on a store.
 *
 * @param store made (mode 0755) if there is none; must not be writable by a bot.
 * @throws OpenClawError; nothing new is left in the store then.
 */
export async function ensureOpenClaw(
  pin: OpenClawPin,
  store: string,
  options: InstallOptions = {},
): Promise<InstalledOpenClaw> {
  const platform = thisPlatform();
  const expected = pin.narHash[platform];
  if (expected === undefined) {
    throw new OpenClawError(
      "unsupported-platform",
      `the pin of OpenClaw ${pin.version} has no hash for ${platform}`,
      {
        hint: `make it anew with: seawall pin ${pin.version}`,
      },
    );
  }
  const root = join(resolve(store), `openclaw-${pin.version}-${hashPrefix(expected)}`);
  const stamp = `${root}.stamp`;
  const installed: InstalledOpenClaw = {
    version: pin.version,
    root,
    entry: join(root, pin.entry),
    narHash: expected,
  };
  const onProgress = options.onProgress ?? (() => undefined);
  return await asStoreError(store, async () => {
    makeStore(store);
    if (isStamped(root, expected, stamp)) return installed;
    await withStoreLock(
      store,
      () => onProgress({ phase: "waiting" }),
      async () => {
        removeUnfinished(store);
        const total = pin.size[platform] ?? 0;
        const onBytes = (done: number): void => onProgress({ phase: "checking", done, total });
        if (existsSync(root) && (await verifyTree(root, expected, stamp, onBytes))) return;
        const { tree } = options;
        await install({ pin, platform, expected, store, root, stamp, tree }, onProgress);
      },
    );
    return installed;
  });
}

interface Install {
  readonly pin: OpenClawPin;
  readonly platform: Platform;
  readonly expected: string;
  readonly store: string;
  readonly root: string;
  readonly stamp: string;
  readonly tree: string | undefined;
}

async function install(
  to: Install,
  onProgress: (progress: InstallProgress) => void,
): Promise<void> {
  const { pin, platform, expected, store, root, stamp } = to;
  const total = pin.size[platform] ?? 0;
  refuseFullDisk(store, total);
  const temporary = mkdtempSync(join(store, UNFINISHED));
  try {
    const tree =
      to.tree === undefined
        ? await installTree(pin.folder, platform, temporary, (done, all) =>
            onProgress({ phase: "downloading", done, total: all }),
          )
        : copyTree(to.tree, join(temporary, "root"), pin.version);
    makeReadOnly(tree);
    onProgress({ phase: "saving" });
    await syncFileSystem(tree);
    const hashed = treeStamp(tree);
    const actual = await narHash(tree, (done) => onProgress({ phase: "checking", done, total }));
    if (actual !== expected) throw wrongHash(to, tree, actual);
    replaceTree(tree, root, join(temporary, "replaced"));
    await stampRenamed(root, hashed, expected, stamp);
  } finally {
    removeTree(temporary);
  }
}

/**
 * Links stay links, whoever made them; what is no file, folder or link is refused, and so is a tree that is
 * itself a link: what follows would be done to where it leads.
 */
function copyTree(from: string, to: string, version: string): string {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, dereference: false });
  if (lstatSync(to).isDirectory()) return to;
  throw new OpenClawError("wrong-hash", `OpenClaw ${version} as fetched is no folder`, {
    where: from,
    hint: "do not use what was fetched",
  });
}

/** Made for everybody to read, whatever the umask; one that is there already is left as it is. */
export function makeStore(store: string): void {
  if (mkdirSync(store, { recursive: true }) !== undefined) chmodSync(store, 0o755);
}

function isFull(folder: string): boolean {
  const { bavail, bsize, files, ffree } = statfsSync(folder);
  return bavail * bsize < 1_000_000 || (files > 0 && ffree === 0);
}

/** Half a gigabyte is not begun when it can't be finished. */
function refuseFullDisk(store: string, needed: number): void {
  const { bavail, bsize } = statfsSync(store);
  const free = bavail * bsize;
  if (free < needed * 1.1) {
    throw new OpenClawError(
      "disk-full",
      `OpenClaw needs ${megabytes(needed * 1.1)} MB, and ${megabytes(free)} MB are free`,
      {
        where: store,
        hint: "make room and try again",
      },
    );
  }
}

function megabytes(bytes: number): string {
  return Math.floor(bytes / 1_000_000).toString();
}

function wrongHash({ pin, platform, store }: Install, tree: string, actual: string): OpenClawError {
  // Measured: npm 11 exits 0 although it had no room for some of the packages.
  if (isFull(store)) {
    return new OpenClawError("disk-full", "the disk is full", {
      where: store,
      hint: "make room and try again",
    });
  }
  const missing = missingPackages(pin.folder, platform, tree);
  return missing.length > 0
    ? new OpenClawError(
        "registry",
        `npm left out ${missing.length} of OpenClaw's packages: ${missing.slice(0, 3).join(", ")}`,
        {
          hint: "the registry doesn't serve them at the moment, or npm is told to leave them out; try again later",
        },
      )
    : new OpenClawError(
        "wrong-hash",
        `OpenClaw ${pin.version} as installed is not what the pin names (${actual})`,
        {
          where: join(pin.folder, "pin.json"),
          hint: `npm 10 or later is needed; if it is one, do not use what the registry sent`,
        },
      );
}

/** Writes a file to disk; on macOS, whose sync(8) takes no names, everything. */
export async function syncToDisk(...words: readonly string[]): Promise<void> {
  await promisify(execFile)("sync", process.platform === "darwin" ? [] : words);
}

/**
 * Writes everything to disk (syncfs(2), which Node lacks; coreutils and busybox have `sync -f`).
 * Without it a power failure can damage files behind a valid stamp, so its failure is ours.
 */
async function syncFileSystem(folder: string): Promise<void> {
  await syncToDisk("-f", folder);
}

function removeUnfinished(store: string): void {
  for (const name of readdirSync(store)) {
    if (name.startsWith(UNFINISHED) || name.endsWith(".tmp")) removeTree(join(store, name));
  }
}

/** Turns the file system's errors into ours. */
export async function asStoreError<T>(store: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof OpenClawError) throw cause;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (code === "ENOSPC" || code === "EDQUOT") {
      throw new OpenClawError("disk-full", "the disk is full", {
        where: store,
        hint: "make room and try again",
        cause,
      });
    }
    if (code.startsWith("E")) {
      throw new OpenClawError("store", `the store can't be used (${code})`, {
        where: store,
        hint: "look at its owner and permissions",
        cause,
      });
    }
    throw cause;
  }
}
