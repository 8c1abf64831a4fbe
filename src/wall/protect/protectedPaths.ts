import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Protection } from "../WallSpec.ts";
import { FOLDER_PATHS, HOME_PATHS, type ProtectedPath } from "./paths.ts";

/** How deep and how far repositories are looked for below a granted folder. */
const DEEPEST = 4;
const MOST_FOLDERS = 2000;

export interface ProtectedOptions {
  /** The person's home folder. */
  readonly home: string;
  /** Folders that may be written, at the same path inside as outside. */
  readonly folders: readonly string[];
  /** Paths granted by name: those are not protected, nor is anything below them. */
  readonly named: readonly string[];
  /** Seals for whatever doesn't exist, projects included: nothing new at the top of any of them. */
  readonly strict?: boolean;
}

/**
 * What is protected by default, for `WallSpec.protect`: everything in the list but what was named.
 * A name below a protected path (`~/.ssh/known_hosts`) is mounted by its own grant, and changes nothing
 * about the rest.
 */
export function protectedPaths({
  home,
  folders,
  named,
  strict = false,
}: ProtectedOptions): readonly Protection[] {
  const found = [
    ...HOME_PATHS.map((entry) => protection(home, entry, strict)),
    ...folders
      .flatMap((folder) => [folder, ...repositoriesBelow(folder)])
      .flatMap((folder) =>
        FOLDER_PATHS.flatMap((entry) =>
          placesIn(folder, entry).map((path) => protection(folder, { ...entry, path }, strict)),
        ),
      ),
  ];
  const byPath = new Map<string, Protection>();
  // A home that is granted as a folder has some in both lists; the home's word is the stricter one.
  for (const each of found.toReversed()) byPath.set(each.path, each);
  const isNamed = (path: string) =>
    named.some((name) => path === name || path.startsWith(`${name}/`));
  return [...byPath.values()]
    .filter(({ path }) => !isNamed(path))
    .toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

/** Why `path` is protected, if it is by default. */
export function reasonFor(path: string, options: ProtectedOptions): string | undefined {
  const places = [
    ...HOME_PATHS.map((entry) => [join(options.home, entry.path), entry.reason] as const),
    ...options.folders.flatMap((folder) =>
      [folder, ...repositoriesBelow(folder)].flatMap((place) =>
        FOLDER_PATHS.flatMap((entry) =>
          placesIn(place, entry).map((path) => [join(place, path), entry.reason] as const),
        ),
      ),
    ),
  ];
  return places.find(([place]) => path === place || path.startsWith(`${place}/`))?.[1];
}

function protection(folder: string, entry: ProtectedPath, strict: boolean): Protection {
  const absent = strict ? "seal" : entry.absent;
  return { path: join(folder, entry.path), access: entry.access, absent };
}

/**
 * Where an entry applies in a folder. One without a repository is not kept from getting one: any folder
 * below could become one as well.
 */
function placesIn(folder: string, { path }: ProtectedPath): readonly string[] {
  if (!path.startsWith(".git/")) return [path];
  if (!exists(join(folder, ".git"))) return [];
  const name = path.slice(".git".length);
  return [path, ...submodulesIn(folder, ".git/modules", 1).map((module) => `${module}${name}`)];
}

/** Repositories of submodules, whose own folders may be nested by name (git-submodule(1)). */
function submodulesIn(folder: string, path: string, depth: number): readonly string[] {
  if (depth > DEEPEST) return [];
  return foldersIn(join(folder, path)).flatMap((name) => {
    const below = `${path}/${name}`;
    if (!exists(join(folder, below, "HEAD"))) return submodulesIn(folder, below, depth + 1);
    return [below, ...submodulesIn(folder, `${below}/modules`, depth + 1)];
  });
}

/** Folders below that have a `.git` of their own. */
function repositoriesBelow(root: string): string[] {
  const found: string[] = [];
  let seen = 0;
  const visit = (folder: string, depth: number) => {
    if (depth > DEEPEST || seen > MOST_FOLDERS) return;
    for (const name of foldersIn(folder)) {
      if (name === "node_modules" || name === ".git") continue;
      seen++;
      const below = join(folder, name);
      if (exists(join(below, ".git"))) found.push(below);
      visit(below, depth + 1);
    }
  };
  visit(root, 1);
  return found;
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .toSorted();
  } catch {
    return [];
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
