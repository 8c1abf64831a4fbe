import { lstatSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { WallError } from "../WallError.ts";
import type { Identity, Mount, Protection, WallSpec } from "../WallSpec.ts";

/** More mounts than this make a start slow; bubblewrap itself gives up at 9000 arguments. */
const MOST_ENTRIES = 1000;
/** As the kernel counts them (path_resolution(7)). */
const MOST_LINKS = 40;

type FolderMount = Extract<Mount, { kind: "read" | "write" }>;

/** A protected path, or a folder on the way to one. */
interface Node {
  access: Protection["access"] | undefined;
  absent: "seal" | "leave";
  readonly children: Map<string, Node>;
}

/** A specification in which nothing is left to be placed. */
export interface PlacedSpec extends WallSpec {
  readonly protect: readonly [];
}

/**
 * Turns `spec.protect` into mounts, having looked at the host's folders. Nothing is written there: every
 * place that something is mounted on exists, or is in memory.
 *
 * - **A folder that holds a `hidden` name is sealed**: memory takes its place, in which each of its
 *   other entries is mounted and which is then read-only. So the name isn't there, can't be made, and
 *   doesn't appear when somebody makes it outside; but no new name can be made in that one folder.
 * - **What exists and is `read-only` is mounted over itself**, and so is each folder on the way to it, since
 *   what is mounted on can neither be renamed nor removed: no other file can come to be at that path.
 * - **What doesn't exist and is `read-only`** seals the folder that would hold it, unless it says `leave`.
 *
 * Throws WallError `protect` where a path can't be kept: a file with several names, or a folder with
 * too many entries.
 */
export function placeProtections(spec: WallSpec): PlacedSpec {
  let { protect } = spec;
  if (protect.length === 0) return { ...spec, protect: [] };
  for (;;) {
    const { mounts, left, linked } = placeOnce(spec.mounts, protect);
    const fresh = linked.filter((one) => !protect.some((known) => isSame(known, one)));
    if (fresh.length === 0) return { ...spec, mounts, protect: [], unprotected: left.toSorted() };
    // What links lead to is protected as well, and may be behind further ones.
    protect = [...protect, ...fresh];
    if (protect.length > spec.protect.length + MOST_LINKS)
      fail("too many links lead to protected paths");
  }
}

interface Round {
  readonly mounts: readonly Mount[];
  /** Paths that can be made after all. */
  readonly left: readonly string[];
  /** What links among the protected paths lead to. */
  readonly linked: readonly Protection[];
}

function placeOnce(given: readonly Mount[], protect: readonly Protection[]): Round {
  const trees = new Map<FolderMount, Node>();
  for (const protection of protect)
    for (const [mount, steps] of placesOf(given, protection.path))
      note(trees, mount, steps, protection);
  const context: Context = { left: [], linked: [], mounted: new Set(given.map(({ to }) => to)) };
  const mounts = given.flatMap((mount) => {
    const tree = mount.kind === "read" || mount.kind === "write" ? trees.get(mount) : undefined;
    if (tree === undefined || (mount.kind !== "read" && mount.kind !== "write")) return [mount];
    return placeMount(mount, tree, context);
  });
  return { mounts, left: context.left, linked: context.linked };
}

function isSame(one: Protection, other: Protection): boolean {
  const absent = one.absent ?? "seal";
  return (
    one.path === other.path && one.access === other.access && absent === (other.absent ?? "seal")
  );
}

/**
 * Where the file that `path` names inside can be seen: in the mount that shows it there, and in every
 * other one that shows the same folder of the host.
 */
function placesOf(mounts: readonly Mount[], path: string): [FolderMount, readonly string[]][] {
  const cover = covering(mounts, path);
  if (cover === undefined || (cover.kind !== "read" && cover.kind !== "write")) return [];
  const source = join(realpathOf(cover.from), path.slice(cover.to.length));
  return mounts.flatMap((mount): [FolderMount, readonly string[]][] => {
    if (mount.kind !== "read" && mount.kind !== "write") return [];
    const from = realpathOf(mount.from);
    if (source !== from && !source.startsWith(`${from === "/" ? "" : from}/`)) return [];
    const rest = source.slice(from.length).split("/").filter(Boolean);
    // A later mount may lie over that place.
    return covering(mounts, join(mount.to, ...rest)) === mount ? [[mount, rest]] : [];
  });
}

function covering(mounts: readonly Mount[], path: string): Mount | undefined {
  return mounts
    .filter((mount) => mount.kind !== "link")
    .filter(({ to }) => path === to || path.startsWith(`${to}/`))
    .toSorted((one, other) => one.to.length - other.to.length)
    .at(-1);
}

function note(
  trees: Map<FolderMount, Node>,
  mount: FolderMount,
  steps: readonly string[],
  { access, absent = "seal" }: Protection,
): void {
  let node = trees.get(mount) ?? newNode();
  trees.set(mount, node);
  for (const step of steps) {
    const child = node.children.get(step) ?? newNode();
    node.children.set(step, child);
    node = child;
  }
  // The stricter word holds.
  if (node.access !== "hidden") node.access = access;
  if (absent === "seal" || access === "hidden") node.absent = "seal";
}

function newNode(): Node {
  return { access: undefined, absent: "leave", children: new Map() };
}

interface Context {
  readonly left: string[];
  readonly linked: Protection[];
  /** Places at which something is mounted anyway. */
  readonly mounted: ReadonlySet<string>;
}

function placeMount(mount: FolderMount, tree: Node, context: Context): readonly Mount[] {
  if (tree.access === "hidden") return [];
  const kind = tree.access === "read-only" ? "read" : mount.kind;
  const root: FolderMount = { ...mount, kind };
  if (tree.children.size === 0) return [root];
  const from = realpathOf(mount.from);
  const found = look(from);
  const { seen } = mount;
  if (seen !== undefined && found !== undefined && !isSameFile(seen, found.identity))
    fail(`"${mount.to}" was replaced by another file while the wall was made`, "try again");
  // A single file was mounted, of which nothing below can be protected, nor need be.
  if (found?.type !== "folder") return [root];
  return placeFolder({ inside: mount.to, from, kind, node: tree, context }, found, [root]);
}

function isSameFile(one: Identity, other: Identity): boolean {
  return one.device === other.device && one.inode === other.inode;
}

interface Folder {
  readonly inside: string;
  readonly from: string;
  readonly kind: "read" | "write";
  readonly node: Node;
  readonly context: Context;
}

/** @param itself what shows this folder if it needn't be sealed: its own mount, or one over itself. */
function placeFolder(folder: Folder, found: Found, itself: readonly Mount[]): readonly Mount[] {
  const { inside, node } = folder;
  const children = [...node.children].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const sealing = children.some(([name, child]) => mustSeal(folder, name, child));
  if (!sealing)
    return [
      ...itself,
      ...children.flatMap(([name, child]) => placeChild(folder, name, child, false)),
    ];
  const names = readdirSync(folder.from).toSorted();
  if (names.length > MOST_ENTRIES)
    fail(
      `"${inside}" has ${names.length} entries, too many to keep one of them back`,
      "put what is denied into a folder of its own, or allow less than the whole folder",
    );
  return [
    { kind: "sealed", to: inside, mode: found.mode },
    ...names.flatMap((name) =>
      placeChild(folder, name, node.children.get(name) ?? newNode(), true),
    ),
  ];
}

/** Whether only a folder that takes no new names keeps `name` as it should be. */
function mustSeal({ from, kind }: Folder, name: string, child: Node): boolean {
  if (child.access === "hidden") return true;
  const found = look(join(from, name));
  if (found === undefined) return hiddenBelow(child) || (kind === "write" && sealsIfAbsent(child));
  // A link can't be mounted on; what it is replaced by would be at the protected path.
  if (found.type === "link") return hiddenBelow(child) || kind === "write";
  return found.type !== "folder" && hiddenBelow(child);
}

function sealsIfAbsent(node: Node): boolean {
  if (node.access !== undefined && node.absent === "seal") return true;
  return [...node.children.values()].some(sealsIfAbsent);
}

function hiddenBelow(node: Node): boolean {
  return [...node.children.values()].some(
    (child) => child.access === "hidden" || hiddenBelow(child),
  );
}

/** @param sealed whether the entry has to be mounted to be there at all. */
function placeChild(folder: Folder, name: string, node: Node, sealed: boolean): readonly Mount[] {
  const inside = join(folder.inside, name);
  const from = join(folder.from, name);
  const found = look(from);
  if (node.access === "hidden") {
    if (found?.type === "file") refuseNames(inside, found);
    return [];
  }
  if (folder.context.mounted.has(inside)) return [];
  const guarded = node.access !== undefined || node.children.size > 0;
  if (found === undefined) {
    if (guarded && folder.kind === "write" && !sealed)
      folder.context.left.push(...absentPaths(inside, node));
    return [];
  }
  if (found.type === "link") return placeLink(folder, { inside, from, node, sealed });
  // Devices, sockets and pipes: whoever is at the other end of one is outside of the wall.
  if (found.type === "special") return [];
  const readOnly =
    node.access === "read-only" || (found.type !== "folder" && node.children.size > 0);
  const kind = readOnly ? "read" : folder.kind;
  if (readOnly && folder.kind === "write" && found.type === "file") refuseNames(inside, found);
  const itself: readonly Mount[] =
    sealed || kind !== folder.kind || (guarded && folder.kind === "write")
      ? [{ kind, from, to: inside, placed: found.identity }]
      : [];
  if (found.type !== "folder" || node.children.size === 0) return itself;
  return placeFolder({ ...folder, inside, from, kind, node }, found, itself);
}

/** By another of its names the file could be had after all, wherever that is. */
function refuseNames(inside: string, { names }: Found): void {
  if (names > 1)
    fail(
      `"${inside}" has ${names} names, and would be had by another of them`,
      "remove its other hard links",
    );
}

/** A link in a sealed folder is made anew; what it leads to is protected like the link itself. */
function placeLink(
  { context }: Folder,
  link: {
    readonly inside: string;
    readonly from: string;
    readonly node: Node;
    readonly sealed: boolean;
  },
): readonly Mount[] {
  const target = readlinkSync(link.from);
  const tell = (path: string, { access, absent, children }: Node) => {
    if (access !== undefined) context.linked.push({ path, access, absent });
    for (const [name, child] of children) tell(join(path, name), child);
  };
  tell(resolve(dirname(link.inside), target), link.node);
  return link.sealed ? [{ kind: "link", to: link.inside, target, placed: true }] : [];
}

function absentPaths(inside: string, node: Node): string[] {
  if (node.access !== undefined) return [inside];
  return [...node.children].flatMap(([name, child]) => absentPaths(join(inside, name), child));
}

interface Found {
  readonly type: "folder" | "file" | "link" | "special";
  readonly mode: number;
  readonly names: number;
  readonly identity: Identity;
}

function look(path: string): Found | undefined {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (found === undefined) return undefined;
  const type = found.isDirectory()
    ? "folder"
    : found.isSymbolicLink()
      ? "link"
      : found.isFile()
        ? "file"
        : "special";
  return {
    type,
    mode: Number(found.mode & 0o777n),
    names: Number(found.nlink),
    identity: { device: String(found.dev), inode: String(found.ino) },
  };
}

/** bubblewrap follows links in what it mounts. What isn't there is for bubblewrap to report. */
function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function fail(message: string, hint?: string): never {
  throw new WallError("protect", message, hint === undefined ? {} : { hint });
}
