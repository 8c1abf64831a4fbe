import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statfsSync,
  statSync,
  type Dirent,
} from "node:fs";
import { isGone, reasonOf, type Search } from "./Search.ts";

/** statfs(2): file systems the kernel makes up, whose files are not kept anywhere. */
const MADE_UP = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x1cd1, // devpts
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0xcafe4a11, // bpf
]);
/** Above this a file is told about rather than read: a sparse one may pretend to any size. */
const LARGEST = 4 * 2 ** 30;

/** Files looked into, over all the processes of a search. */
export class SearchedFiles {
  count = 0;
  readonly #files = new Set<string>();
  readonly #roots = new Set<string>();

  /** Whether this is the first time; `key` is device and inode. */
  isNew(kind: "file" | "root", key: string): boolean {
    const set = kind === "file" ? this.#files : this.#roots;
    if (set.has(key)) return false;
    set.add(key);
    return true;
  }
}

/**
 * Searches every regular file in the mount namespace of a process, through `/proc/<pid>/root`, names
 * and targets of links included, and the files it holds open, which may have no name any more. Links
 * are not followed: what they point to is found by itself if it is in there.
 *
 * @param onFile called after each file
 */
export async function searchFiles(
  search: Search,
  seen: SearchedFiles,
  pid: number,
  label: string,
  onFile: () => void,
): Promise<void> {
  await searchOpenFiles(search, seen, pid, label);
  const root = `/proc/${pid}/root`;
  try {
    const { dev, ino } = statSync(`${root}/`, { bigint: true });
    const namespace = statSync(`/proc/${pid}/ns/mnt`, { bigint: true }).ino;
    if (!seen.isNew("root", `${namespace}:${dev}:${ino}`)) return;
  } catch (error) {
    if (!isGone(error)) search.skip(`files of ${label}`, reasonOf(error));
    return;
  }
  const pending: { path: string; device: bigint | undefined }[] = [{ path: "", device: undefined }];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const { path } = folder;
    let entries: Dirent[];
    let device: bigint;
    try {
      device = lstatSync(`${root}${path}/`, { bigint: true }).dev;
      // A file system is looked at once, where it begins.
      if (device !== folder.device && MADE_UP.has(statfsSync(`${root}${path}/`).type)) continue;
      entries = readdirSync(`${root}${path}/`, { withFileTypes: true });
    } catch (error) {
      if (!isGone(error)) search.skip(`folder ${path}/`, reasonOf(error));
      continue;
    }
    for (const entry of entries) {
      const inside = `${path}/${entry.name}`;
      search.searchBytes(Buffer.from(entry.name), () => `name of ${inside}`);
      if (entry.isSymbolicLink()) searchTarget(search, `${root}${inside}`, inside);
      if (entry.isDirectory()) pending.push({ path: inside, device });
      else if (entry.isFile()) searchFile(search, seen, `${root}${inside}`, `file ${inside}`);
      onFile();
      await search.rest();
    }
  }
}

async function searchOpenFiles(
  search: Search,
  seen: SearchedFiles,
  pid: number,
  label: string,
): Promise<void> {
  let names: string[];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch (error) {
    if (!isGone(error)) search.skip(`open files of ${label}`, reasonOf(error));
    return;
  }
  for (const name of names) {
    const link = `/proc/${pid}/fd/${name}`;
    try {
      if (!statSync(link).isFile()) continue;
    } catch {
      continue;
    }
    searchFile(search, seen, link, `open file ${name} of ${label}`, true);
    await search.rest();
  }
}

function searchTarget(search: Search, path: string, inside: string): void {
  try {
    search.searchBytes(readlinkSync(path, "buffer"), () => `target of ${inside}`);
  } catch (error) {
    if (!isGone(error)) search.skip(`target of ${inside}`, reasonOf(error));
  }
}

/** @param opened the path is a descriptor's link in /proc, which has to be followed */
function searchFile(
  search: Search,
  seen: SearchedFiles,
  path: string,
  where: string,
  opened = false,
): void {
  let file: number;
  try {
    // O_NONBLOCK: it may have become a FIFO since it was listed.
    file = openSync(
      path,
      constants.O_RDONLY | constants.O_NONBLOCK | (opened ? 0 : constants.O_NOFOLLOW),
    );
  } catch (error) {
    // ENXIO: a device or socket (open(2)) that was mounted over a file, as bubblewrap does in /dev.
    if (!isGone(error) && reasonOf(error) !== "ENXIO") search.skip(where, reasonOf(error));
    return;
  }
  try {
    const stats = fstatSync(file, { bigint: true });
    const { dev, ino, size } = stats;
    if (!stats.isFile() || !seen.isNew("file", `${dev}:${ino}`)) return;
    if (opened && MADE_UP.has(statfsSync(`/proc/self/fd/${file}`).type)) return;
    seen.count++;
    if (size > LARGEST) search.skip(`${where}, beyond its first 4 GiB`, "too large");
    search.begin();
    const read = (into: Uint8Array, offset: number, length: number): number =>
      readSync(file, into, offset, length, null);
    search.searchThrough(read, () => where, LARGEST);
  } catch (error) {
    if (!isGone(error)) search.skip(where, reasonOf(error));
  } finally {
    closeSync(file);
  }
}
