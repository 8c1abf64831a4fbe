import { lstatSync, readdirSync, type Dirent } from "node:fs";

/** Something that a walk came by. */
export type Walked =
  | { readonly kind: "file" | "folder" | "link"; readonly inside: string; readonly shown: string }
  /** A folder that holds a git repository's objects, which are looked at as such. */
  | { readonly kind: "repository"; readonly inside: string; readonly shown: string }
  | { readonly kind: "unread"; readonly shown: string; readonly why: string };

/** A path deeper than PATH_MAX can't be opened at once anyway (path_resolution(7)). */
const DEEPEST = 4000;

/**
 * Everything below a file or folder, sorted, without following links or leaving its file system. No
 * recursion: a deep tree takes no stack.
 */
export function* walk(root: {
  readonly inside: string;
  readonly shown: string;
}): Generator<Walked> {
  const top = lstatSync(root.inside);
  if (!top.isDirectory()) {
    yield* leaf(top, root);
    return;
  }
  const pending = [root];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    let entries: Dirent[];
    try {
      if (lstatSync(folder.inside).dev !== top.dev) {
        yield { kind: "unread", shown: folder.shown, why: "another file system is mounted there" };
        continue;
      }
      entries = readdirSync(folder.inside, { withFileTypes: true });
    } catch (error) {
      yield { kind: "unread", shown: folder.shown, why: reasonOf(error) };
      continue;
    }
    const names = new Set(entries.map(({ name }) => name));
    const repository = names.has("objects") && names.has("HEAD") && names.has("refs");
    if (repository) yield { ...folder, kind: "repository" };
    const folders = [];
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const next = {
        inside: `${folder.inside}/${entry.name}`,
        shown: `${folder.shown}/${entry.name}`,
      };
      if (repository && entry.name === "objects") continue;
      if (entry.isDirectory()) yield { ...next, kind: "folder" };
      if (!entry.isDirectory()) yield* leaf(entry, next);
      else if (next.inside.length > DEEPEST)
        yield { kind: "unread", shown: next.shown.slice(0, 200), why: "it lies too deep" };
      else folders.push(next);
    }
    pending.push(...folders.toReversed());
  }
}

function* leaf(
  entry: Pick<Dirent, "isFile" | "isSymbolicLink">,
  place: { readonly inside: string; readonly shown: string },
): Generator<Walked> {
  if (entry.isFile()) yield { ...place, kind: "file" };
  else if (entry.isSymbolicLink()) yield { ...place, kind: "link" };
  // FIFOs, sockets and devices hold nothing that stays.
}

/** Why the system refused, in words that name nothing. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "EACCES" || code === "EPERM") return "permission is denied";
  if (code === "ENOENT") return "it went away";
  return /^[A-Z0-9_]{2,40}$/.test(code) ? code : "it can't be read";
}
