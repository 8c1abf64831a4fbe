import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Mount } from "../WallSpec.ts";
import { COMPANIONS, PROGRAM_EXTRAS } from "./programExtras.ts";
import { machOLibraries } from "./readMachO.ts";
import { readInterpreter } from "./readInterpreter.ts";

/** What some programs need to run, file by file; everything is at its own path. */
export interface ProgramFiles {
  /** Libraries, folders of data, and the links by which they are found. */
  readonly mounts: readonly Mount[];
  /** For `WallSpec.libraries`. */
  readonly libraries: readonly string[];
  /** Programs that these start themselves, for `WallSpec.execute`. */
  readonly execute: readonly string[];
}

/** Links at the root on systems that keep everything in /usr. */
const ROOT_LINKS = ["/lib", "/lib64", "/lib32"];
/** Where the loader looks without being told (ld.so(8)). */
const DEFAULT_FOLDERS = /^(?:\/usr)?\/lib(?:64|32|\/[a-z0-9_]+-linux-[a-z0-9]+)?$/u;
const CACHE = "/etc/ld.so.cache";

/**
 * Finds the loader, the libraries, and what else these programs of this host use. The loader itself
 * is asked (`--list`), which resolves everything as it would for running and runs nothing; it takes
 * about two milliseconds for each program. Scripts and static programs need nothing.
 */
export function programFiles(
  programs: readonly string[],
  platform: NodeJS.Platform = process.platform,
): ProgramFiles {
  if (platform === "darwin") return macFiles(programs);
  const data = new Set<string>();
  const execute = new Set<string>();
  const code = new Set<string>();
  for (const program of programs) {
    const name = basename(program);
    for (const extras of PROGRAM_EXTRAS.filter((each) => each.programs.test(name))) {
      const from = (path: string): string =>
        path.startsWith("../") ? join(dirname(realpathSync(program)), path) : path;
      for (const folder of (extras.data ?? []).map(from).flatMap(matching)) data.add(folder);
      for (const started of (extras.starts ?? []).map(from).filter((path) => existsSync(path)))
        execute.add(started);
      for (const folder of (extras.code ?? []).flatMap(matching))
        for (const file of librariesIn(folder)) code.add(file);
    }
  }
  const loader = [...programs, ...execute]
    .map(readInterpreter)
    .find((found) => found !== undefined);
  const libraries = new Set<string>();
  for (const program of [...programs, ...execute])
    for (const file of loadedBy(program, readInterpreter(program))) libraries.add(file);
  for (const file of code) for (const needed of loadedBy(file, loader)) libraries.add(needed);
  for (const file of companionsOf(libraries)) libraries.add(file);
  const places = [...libraries].map(placeOf);
  const folders = outermost([...data]);
  const covered = (path: string) => folders.some((folder) => path.startsWith(`${folder}/`));
  const read = (path: string): Mount => ({ kind: "read", from: realpathSync(path), to: path });
  const cache = places.some((path) => !DEFAULT_FOLDERS.test(dirname(path))) && existsSync(CACHE);
  const files = [...new Set([...places, ...[...execute].map(placeOf), ...(cache ? [CACHE] : [])])];
  return {
    mounts: [
      ...ROOT_LINKS.filter(isLink).map((path): Mount => ({
        kind: "link",
        to: path,
        target: readlinkSync(path),
      })),
      ...folders.toSorted().map(read),
      ...files
        .filter((path) => !covered(path))
        .toSorted()
        .map(read),
    ],
    libraries: [...new Set([...places, ...[...code].map(placeOf)])].toSorted(),
    execute: [...execute].map(placeOf).toSorted(),
  };
}

/** On macOS the system's libraries are in every profile; of the others each names its own. */
function macFiles(programs: readonly string[]): ProgramFiles {
  const libraries = machOLibraries(
    programs.map((path) => realpathSync(path)),
    { exists: existsSync },
  );
  return {
    mounts: libraries.map((path): Mount => ({ kind: "read", from: path, to: path })),
    libraries,
    execute: [],
  };
}

/** What `file` is linked with, and the loader itself; nothing for what isn't dynamic. */
function loadedBy(file: string, loader: string | undefined): string[] {
  if (loader === undefined) return [];
  const run = spawnSync(loader, ["--list", realpathSync(file)], { encoding: "utf8", env: {} });
  if (run.status !== 0) return [];
  return [
    loader,
    ...run.stdout
      .split("\n")
      .flatMap((line) => /(?:=>|^)\s*(\/\S+) \(0x[0-9a-f]+\)/u.exec(line)?.[1] ?? []),
  ];
}

function companionsOf(libraries: ReadonlySet<string>): string[] {
  const libc = [...libraries].find((path) => basename(path) === "libc.so.6");
  if (libc === undefined) return [];
  return COMPANIONS.map((name) => join(dirname(libc), name)).filter((path) => existsSync(path));
}

/** The path with links followed but for the last, whose name is what is asked for. */
function placeOf(path: string): string {
  return join(realpathSync(dirname(path)), basename(path));
}

function matching(pattern: string): string[] {
  const [first = "", ...rest] = pattern.split("/").slice(1);
  let found = [`/${first}`];
  for (const step of rest) found = found.flatMap((folder) => matchStep(folder, step));
  return found.filter((path) => existsSync(path) && statSync(path).isDirectory());
}

function matchStep(folder: string, step: string): string[] {
  if (!step.includes("*")) return [join(folder, step)];
  const [before = "", after = ""] = step.split("*");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(before) && name.endsWith(after))
    .map((name) => join(folder, name));
}

function librariesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.so(?:\.|$)/u.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

function outermost(folders: readonly string[]): string[] {
  const real = [...new Set(folders.filter((path) => !isLink(path)))];
  return real.filter((path) => !real.some((other) => path.startsWith(`${other}/`)));
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}
