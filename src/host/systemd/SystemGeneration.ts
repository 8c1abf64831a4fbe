import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { syncFolder, writeFileAtomic } from "../../files/index.ts";
import type { TargetFile } from "../../targets/index.ts";
import type { Generation } from "../Generation.ts";
import { asDiskError, HostError } from "../HostError.ts";
import type { SystemPaths } from "./systemPaths.ts";

/** Behind the one in force. */
const KEPT = 10;

/** Numbers of the generations there are, ascending. */
export function listSystemGenerations({ generations }: SystemPaths): number[] {
  if (!existsSync(generations)) return [];
  return readdirSync(generations)
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number)
    .toSorted((a, b) => a - b);
}

/** On NixOS the system itself has generations, and ours lies in the one that is in force. */
const NIXOS_GENERATION = 0;

/** Whether `current` is part of a NixOS system, which only a rebuild of that changes. */
export function isFromNixos({ current }: Pick<SystemPaths, "current">): boolean {
  try {
    return realpathSync(current).startsWith("/nix/store/");
  } catch {
    return false;
  }
}

/** @throws HostError `cannot-serve` where only a rebuild of the system changes what is in force. */
export function refuseNixos(paths: Pick<SystemPaths, "current">): void {
  if (isFromNixos(paths))
    throw new HostError("cannot-serve", "this machine's bots are in its NixOS configuration", {
      hint: "change services.seawall there and type: nixos-rebuild switch; back with --rollback",
    });
}

/** The one that the link names, if it is there. */
export function currentSystemGeneration(paths: SystemPaths): number | undefined {
  if (isFromNixos(paths)) return NIXOS_GENERATION;
  try {
    const number = Number(basename(readlinkSync(paths.current)));
    return listSystemGenerations(paths).includes(number) ? number : undefined;
  } catch (error) {
    if (["ENOENT", "EINVAL"].includes(String((error as NodeJS.ErrnoException).code)))
      return undefined;
    throw error;
  }
}

export function generationFolder(paths: SystemPaths, number: number): string {
  return number === NIXOS_GENERATION ? paths.current : join(paths.generations, String(number));
}

/** @throws HostError `damaged-state`, `no-such-generation` */
export function readSystemGeneration(paths: SystemPaths, number: number): Generation {
  const file = join(generationFolder(paths, number), "generation.json");
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Generation;
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new HostError(
      missing ? "no-such-generation" : "damaged-state",
      missing ? `there is no generation ${number}` : `generation ${number} can't be read`,
      {
        hint: missing
          ? `there are: ${listSystemGenerations(paths).join(", ") || "none"}`
          : "apply the declaration anew with: seawall switch",
        cause,
      },
    );
  }
}

/**
 * Writes a generation: whole or not at all, and never changed afterwards. Nothing is put in force.
 *
 * @throws HostError `disk`, `no-access`
 */
export function writeSystemGeneration(
  paths: SystemPaths,
  generation: Generation,
  files: readonly TargetFile[],
  owners: ReadonlyMap<string, { readonly uid: number; readonly gid: number }>,
): void {
  const folder = generationFolder(paths, generation.number);
  const temporary = `${folder}.tmp`;
  try {
    mkdirSync(paths.generations, { recursive: true, mode: 0o700 });
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { mode: 0o700 });
    const folders = new Set<string>([temporary]);
    for (const { path, mode, bytes } of files) {
      const file = join(temporary, path);
      mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
      writeFileAtomic(file, bytes, mode);
      const owner = owners.get(path);
      if (owner !== undefined) chownSync(file, owner.uid, owner.gid);
      folders.add(dirname(file));
    }
    writeFileAtomic(
      join(temporary, "generation.json"),
      `${JSON.stringify(generation, null, 2)}\n`,
      0o400,
    );
    for (const each of folders) syncFolder(each);
    renameSync(temporary, folder);
    syncFolder(paths.generations);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw asDiskError(error, "the new generation");
  }
}

/** The switch itself: one rename of one link. */
export function pointCurrent(paths: SystemPaths, number: number | undefined): void {
  if (number === undefined) {
    rmSync(paths.current, { force: true });
  } else {
    const temporary = `${paths.current}.tmp`;
    rmSync(temporary, { force: true });
    symlinkSync(`generations/${number}`, temporary);
    renameSync(temporary, paths.current);
  }
  syncFolder(dirname(paths.current));
}

/** Lets go of what nobody goes back to: half-written ones, and the oldest. */
export function collectGenerations(paths: SystemPaths): number[] {
  const current = currentSystemGeneration(paths);
  if (current === undefined || !existsSync(paths.generations)) return [];
  for (const name of readdirSync(paths.generations)) {
    if (!/^[1-9]\d*$/.test(name))
      rmSync(join(paths.generations, name), { recursive: true, force: true });
  }
  const others = listSystemGenerations(paths).filter((number) => number !== current);
  const gone = others.slice(0, Math.max(0, others.length - KEPT));
  for (const number of gone) dropSystemGeneration(paths, number);
  return gone;
}

export function dropSystemGeneration(paths: SystemPaths, number: number): void {
  rmSync(generationFolder(paths, number), { recursive: true, force: true });
}
