import { realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Layout } from "./layOut.ts";
import { libraryFolders } from "./libraryFolders.ts";
import type { PolicyStore } from "./policyStore.ts";

/** What the answer depends on besides the programs: the loader's cache, and the code that asks. */
const DECIDING = [
  "/etc/ld.so.cache",
  ...["programFiles.ts", "programExtras.ts"].map((name) =>
    fileURLToPath(new URL(`../wall/probe/${name}`, import.meta.url)),
  ),
];

interface Found {
  readonly code: readonly string[];
  /** Stamps of every folder that a library was found in, and of those above. */
  readonly folders: readonly (readonly [path: string, stamp: string])[];
}

/**
 * The libraries that the programs of a layout load, file by file and with links followed, so that
 * nothing else that may be read can be run through the dynamic loader. Asking the loader takes some
 * milliseconds for each program; the answer is kept in `store` as long as the programs, the loader's
 * cache and the folders with the libraries are the same.
 */
export async function loadedCode(
  { programs }: Pick<Layout, "programs">,
  store: PolicyStore,
): Promise<readonly string[]> {
  const reals = [...new Set(programs.map(({ real }) => real))].toSorted();
  const key = JSON.stringify([...reals, ...DECIDING].map((file) => [file, stampOf(file)]));
  const kept = store.get("code", key) as Found | undefined;
  if (kept?.folders.every(([path, stamp]) => stampOf(path) === stamp) === true) return kept.code;
  const { programFiles } = await import("../wall/index.ts");
  const code = [...new Set(programFiles(reals).libraries.map((path) => realpathSync(path)))];
  const folders = new Set(libraryFolders());
  for (const file of code)
    for (let folder = dirname(file); folder !== "/"; folder = dirname(folder)) folders.add(folder);
  const found: Found = {
    code,
    folders: [...folders].map((path) => [path, stampOf(path)] as const),
  };
  store.put("code", key, found);
  return code;
}

function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? "-" : `${found.ino}:${found.mtimeMs}:${found.size}`;
}
