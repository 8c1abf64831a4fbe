import { lstatSync, mkdirSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { describeOrigin, isBelow, type Origin, type Policy } from "../profiles/index.ts";
import { readableSystemFiles } from "./baseFiles.ts";
import { findProgram, type Program } from "./findProgram.ts";
import { libraryFolders, moduleFolders } from "./libraryFolders.ts";
import { realPlace } from "./realPlace.ts";
import { RunError } from "./RunError.ts";

/** Everything a wall shows and lets run, on this host, each with the rule that says so. */
export interface Layout {
  /** Sorted; none lies inside another that gives as much. */
  readonly places: readonly LaidPlace[];
  /** Links of the host that lead to places. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
  readonly exceptions: Policy["exceptions"];
  readonly programs: readonly LaidProgram[];
  /** What may be mapped as code besides what the programs load. */
  readonly libraries: readonly string[];
  /** What a profile names and this host doesn't have. */
  readonly missing: readonly { readonly what: string; readonly origin: Origin }[];
  /** Folders that were made, or would be. */
  readonly made: readonly string[];
}

export interface LaidPlace {
  readonly path: string;
  readonly read: boolean;
  readonly write: boolean;
  readonly folder: boolean;
  readonly origin: Origin;
  /** What is there, for what was granted: another wall may put a link in its place in the meantime. */
  readonly seen?: { readonly device: string; readonly inode: string };
}

/** A program that may be executed, at the path it has inside. */
export interface LaidProgram {
  readonly path: string;
  /** What lies there. */
  readonly real: string;
  readonly origin: Origin;
}

/** What nothing can be granted of: kernel interfaces, and where sockets of the host are. */
const RESERVED = ["/proc", "/dev", "/sys", "/run", "/var/run", "/tmp"];
const ALWAYS: Origin = { kind: "always", what: "every wall" };

export interface LayOutOptions {
  readonly policy: Policy;
  /** What is protected by default; see `protectedByDefault`. */
  readonly exceptions: Policy["exceptions"];
  /** What will be run; its interpreter and package come with it. */
  readonly program: Program | undefined;
  readonly searchPath: string;
  readonly workdir: string;
  /** Whether folders to be created are, or only named. */
  readonly make: boolean;
}

/**
 * Looks up on this host what a policy names: links are followed, commands found, folders made.
 *
 * @throws RunError for a flag's path that isn't there or not of its kind, and for what can't be granted
 */
export function layOut(options: LayOutOptions): Layout {
  const { policy, program, make } = options;
  const found: LaidPlace[] = [];
  const links = new Map<string, string>();
  const missing: { what: string; origin: Origin }[] = [];
  const made: string[] = [];
  const show = (path: string, origin: Origin, read: boolean, write: boolean): boolean => {
    const real = follow(path, links);
    if (real === undefined) return false;
    const stat = statSync(real, { bigint: true });
    const seen = { device: String(stat.dev), inode: String(stat.ino) };
    found.push({
      path: real,
      read,
      write,
      folder: stat.isDirectory(),
      origin,
      ...(origin.kind === "always" ? {} : { seen }),
    });
    return true;
  };
  for (const rule of policy.paths) {
    const { path, origin } = rule;
    if (rule.create && lstatSync(path, { throwIfNoEntry: false }) === undefined) {
      made.push(path);
      if (make) mkdirSync(path, { recursive: true, mode: 0o700 });
      else continue;
    }
    if (!show(path, origin, rule.read, rule.write)) {
      if (rule.required) {
        throw new RunError("no-path", `"${path}" is not there`, {
          where: describeOrigin(origin),
          hint: "look at its name, or leave it out",
        });
      }
      missing.push({ what: path, origin });
      continue;
    }
    const folder = found.at(-1)?.folder === true;
    if (rule.file && folder) {
      throw new RunError("wrong-kind", `"${path}" is a folder`, {
        where: describeOrigin(origin),
        hint: "grant a folder with --allow, --read or --write",
      });
    }
  }
  const programs = layPrograms(options, missing);
  for (const folder of libraryFolders()) show(folder, ALWAYS, true, false);
  for (const file of readableSystemFiles()) show(file, ALWAYS, true, false);
  const packages = [program?.package, ...programs.map((each) => each.package)];
  for (const folder of packages) {
    if (folder === undefined) continue;
    show(folder, { kind: "always", what: "the package of a granted command" }, true, false);
  }
  const script = program?.interpreter === undefined ? undefined : program.real;
  if (script !== undefined) {
    show(script, { kind: "always", what: "the command itself" }, true, false);
  }
  const places = combine(found);
  checkPrograms(programs, places);
  return {
    places,
    links: [...links].map(([path, target]) => ({ path, target })),
    exceptions: [...policy.exceptions, ...options.exceptions].flatMap((exception) => {
      // Both names, as either may be shown; also of what isn't there yet.
      const real = realPlace(exception.path);
      const other = real === exception.path ? [] : [{ ...exception, path: real }];
      return [exception, ...other];
    }),
    programs: programs.map(({ path, real, origin }) => ({ path, real, origin })),
    libraries: [
      ...moduleFolders(),
      ...packages.flatMap((folder) => folder ?? []),
      ...policy.libraries.flatMap(({ path }) => follow(path, new Map()) ?? []),
    ],
    missing,
    made,
  };
}

/**
 * The path with every link followed; links on the way are noted, so that the name that was given
 * works inside too. Undefined if it leads nowhere.
 */
function follow(path: string, links: Map<string, string>): string | undefined {
  let real: string;
  try {
    real = realpathSync(path);
  } catch {
    return undefined;
  }
  let at = "";
  for (const step of real === path ? [] : path.split("/").slice(1)) {
    at = `${at}/${step}`;
    if (lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue;
    const target = realpathSync(at);
    links.set(at, target);
    at = target;
  }
  return real;
}

/**
 * Refuses what leads to the kernel or to sockets of other programs, before anybody looks there.
 *
 * @throws RunError `reserved-path`
 */
export function checkGrantable(
  rules: readonly { path: string; write: boolean; origin: Origin }[],
): void {
  for (const { path, write, origin } of rules) {
    const real = realPlace(path);
    const reserved = RESERVED.find(
      (each) => real === each || (each !== "/tmp" && isBelow(real, each)),
    );
    const sys = reserved === "/sys" && !write && real !== "/sys";
    if ((reserved === undefined && real !== "/") || sys) continue;
    throw new RunError("reserved-path", `"${path}" can't be granted`, {
      where: describeOrigin(origin),
      hint:
        real === "/tmp"
          ? "inside, /tmp is memory of the command's own; name a folder in it"
          : "it leads to the kernel or to sockets of other programs",
    });
  }
}

type FoundProgram = LaidProgram & { readonly package?: string };

/** The granted commands with their interpreters, and what is run. */
function layPrograms(
  { policy, program, searchPath, workdir }: LayOutOptions,
  missing: { what: string; origin: Origin }[],
): FoundProgram[] {
  const programs = new Map<string, FoundProgram>();
  const put = ({ path, real, package: root }: Program, origin: Origin): void => {
    if (programs.has(path)) return;
    programs.set(path, { path, real, origin, ...(root === undefined ? {} : { package: root }) });
  };
  const command: Origin = { kind: "always", what: "the command itself" };
  if (program !== undefined && program.interpreter === undefined) put(program, command);
  if (program?.interpreter !== undefined) {
    const interpreter = findProgram(program.interpreter[0], searchPath, workdir);
    if (interpreter !== undefined)
      put(interpreter, { kind: "always", what: "interpreter of the command" });
  }
  const granted = policy.commands.flatMap(({ value, origin }) => {
    const found = value.startsWith("/")
      ? programsAt(value, workdir)
      : [findProgram(value, searchPath, workdir)].flatMap((each) => each ?? []);
    if (found.length === 0) missing.push({ what: value, origin });
    return found.map((each) => ({ each, origin, name: value }));
  });
  for (const { each, origin } of granted) if (each.interpreter === undefined) put(each, origin);
  for (const { each, origin, name } of granted) {
    if (each.interpreter === undefined) continue;
    const interpreter = findProgram(each.interpreter[0], searchPath, workdir);
    if (interpreter === undefined || !programs.has(interpreter.path)) {
      missing.push({ what: `${name}, a script for ${basename(each.interpreter[0])}`, origin });
      continue;
    }
    put(each, origin);
    const env = findProgram("env", searchPath, workdir);
    if (env !== undefined) put(env, origin);
  }
  return [...programs.values()];
}

function programsAt(path: string, workdir: string): Program[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  const files =
    stat?.isDirectory() === true ? readdirSync(path).map((name) => join(path, name)) : [path];
  return files.flatMap((file) => findProgram(file, "", workdir) ?? []);
}

/** Sorted by path; what a folder above gives already is left out, and equal paths add up. */
function combine(found: readonly LaidPlace[]): LaidPlace[] {
  const places = new Map<string, LaidPlace>();
  for (const place of found) {
    const same = places.get(place.path);
    const read = place.read || same?.read === true;
    const write = place.write || same?.write === true;
    // The rule that gives more is the one to be named.
    const origin = same === undefined || (place.write && !same.write) ? place.origin : same.origin;
    places.set(place.path, { ...place, read, write, origin });
  }
  const all = [...places.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return all.filter((place) => {
    const above = all.filter((other) => other.folder && isBelow(place.path, other.path));
    const covering = above.find(
      (other) => (other.read || !place.read) && (other.write || !place.write),
    );
    const writable = above.find((other) => other.write);
    if (covering === undefined && writable !== undefined) {
      throw new RunError("clash", `"${place.path}" would be read inside "${writable.path}"`, {
        where: describeOrigin(place.origin),
        hint: "grant the outer folder with --allow, or only one of the two",
      });
    }
    return covering === undefined;
  });
}

/** What may be executed must not be what may be written. */
function checkPrograms(programs: readonly FoundProgram[], places: readonly LaidPlace[]): void {
  // What Landlock allows of a folder it allows of everything mounted below it.
  const blind = places.find((place) => !place.read && isBelow(place.path, "/tmp"));
  if (blind !== undefined) {
    throw new RunError("clash", `"${blind.path}" can't be written without being read`, {
      where: describeOrigin(blind.origin),
      hint: "inside, all of /tmp is the command's own: grant it with --allow, or move it elsewhere",
    });
  }
  const temporary: LaidPlace = {
    path: "/tmp",
    read: true,
    write: true,
    folder: true,
    origin: ALWAYS,
  };
  for (const { path, real, origin } of programs) {
    const place = [...places, temporary].find(
      (each) =>
        each.write && [path, real].some((file) => file === each.path || isBelow(file, each.path)),
    );
    if (place === undefined) continue;
    throw new RunError("writable-program", `"${path}" can't be run where it may be written`, {
      where: `${describeOrigin(origin)}; written by ${describeOrigin(place.origin)}`,
      hint:
        place === temporary
          ? "run it from outside of /tmp"
          : `grant "${place.path}" with --read, or run a copy from elsewhere`,
    });
  }
}

/** Whether the folder of `path` is shown, so that the file needs no mount of its own. */
export function isShown(path: string, places: readonly LaidPlace[]): boolean {
  return places.some((place) => place.read && (place.path === path || isBelow(path, place.path)));
}
