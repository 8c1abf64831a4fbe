import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { syncFolder } from "../../files/index.ts";
import { otherLinks } from "./checkForeign.ts";
import type { SystemPaths } from "./systemPaths.ts";

/**
 * Makes the links by which systemd finds units: each leads through the link that is switched. Those
 * that are there stay, so at any moment there are at least the ones that the generation in force
 * needs; one too many leads nowhere, and nothing names it.
 */
export function addLinks(paths: SystemPaths, units: readonly string[]): void {
  for (const unit of units) link(join(paths.units, unit), `${paths.current}/units/${unit}`);
  for (const [place, target] of otherLinks(paths)) link(place, target);
}

/** Removes our links to units that aren't among these; with none, all of ours. */
export function removeLinks(paths: SystemPaths, but: readonly string[]): string[] {
  const kept = new Set(but);
  const gone = ourUnits(paths).filter((name) => !kept.has(name));
  for (const name of gone) rmSync(join(paths.units, name), { force: true });
  if (but.length === 0) {
    for (const [place, target] of otherLinks(paths)) {
      if (targetOf(place) !== target) continue;
      rmSync(place);
      removeEmpty(dirname(place));
    }
  }
  syncFolder(paths.units);
  return gone;
}

/** Units that lead to a generation of ours. */
export function ourUnits({ units, current }: SystemPaths): string[] {
  return readdirSync(units).filter(
    (name) => targetOf(join(units, name)) === `${current}/units/${name}`,
  );
}

function link(place: string, target: string): void {
  if (targetOf(place) === target) return;
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(target, place);
  syncFolder(dirname(place));
}

/** Not every distribution has such a folder before something is put there. */
function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Others have something in it.
  }
}

function targetOf(place: string): string | undefined {
  try {
    return lstatSync(place).isSymbolicLink() ? readlinkSync(place) : undefined;
  } catch {
    return undefined;
  }
}
