import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WallError } from "../WallError.ts";
import type { CompiledGroup } from "./compile.ts";
import { GROUP_PREFIX } from "./probe.ts";

/** A control group that was made, in one or several hierarchies. */
export interface Group {
  /** Puts a process into it, and with it all that it starts from now on. Throws WallError `start`. */
  join(pid: number): void;
  /** Once everything in it has ended. Never throws. */
  remove(): void;
}

/**
 * Makes a group with its limits. Throws WallError `start` if that fails, having left nothing.
 * Groups that a killed supervisor left are removed on the way: they hold nothing any more.
 */
export function makeGroup(group: Extract<CompiledGroup, { by: "files" }>): Group {
  const name = `${GROUP_PREFIX}${process.pid}-${randomBytes(6).toString("hex")}`;
  const made: string[] = [];
  const remove = () => {
    for (const folder of made) removeGroup(folder);
  };
  try {
    for (const { parent, values } of group.folders) {
      removeStray(parent);
      const folder = join(parent, name);
      mkdirSync(folder);
      made.push(folder);
      for (const { file, text } of values) writeFileSync(join(folder, file), text);
    }
  } catch (error) {
    remove();
    throw new WallError("start", `a control group can't be made: ${messageOf(error)}`);
  }
  return {
    remove,
    join(pid) {
      try {
        for (const folder of made) writeFileSync(join(folder, "cgroup.procs"), String(pid));
      } catch (error) {
        throw new WallError("start", `a control group can't be entered: ${messageOf(error)}`);
      }
    },
  };
}

/** A process that has ended leaves its group only when it has been waited for; pid 1 inside goes last. */
function removeGroup(folder: string): void {
  for (let tries = 0; tries < 50; tries++) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EBUSY")) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

function removeStray(parent: string): void {
  for (const entry of readdirSync(parent)) {
    const [, pid] = /^seawall-(\d+)-[0-9a-f]+$/u.exec(entry) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmdirSync(join(parent, entry));
    } catch {
      // Still in use, or somebody else was quicker.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    readFileSync(`/proc/${pid}/stat`);
    return true;
  } catch {
    return false;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
