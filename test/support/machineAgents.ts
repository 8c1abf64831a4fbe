import { findGit } from "../../src/host/index.ts";
import { programFiles } from "../../src/wall/index.ts";
import type { Brought } from "./Machine.ts";

/** What `seawall agent` needs of a system, as this host has it: git, and bubblewrap for the walls of its programs. */
export function machineAgents(): Brought[] {
  const programs = [findGit(), "/usr/bin/bwrap"].flatMap((path) => path ?? []);
  const { mounts } = programFiles(programs);
  return [
    ...programs.map((path) => ({ from: path, to: path })),
    ...mounts.flatMap((mount) =>
      mount.kind === "read" ? [{ from: mount.from, to: mount.to }] : [],
    ),
  ];
}
