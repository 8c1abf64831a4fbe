import { readFileSync } from "node:fs";

/**
 * The host pid of the process that calls itself `insidePid` in the pid namespace that bubblewrap
 * (host pid `outer`) made: a child of its only child, the namespace's pid 1. Undefined if it has
 * ended. Sources: proc(5), `NSpid` (Linux 4.1) and `/proc/PID/task/TID/children`
 * (CONFIG_PROC_CHILDREN, which the large distributions have).
 */
export function confinedPid(outer: number, insidePid: number): number | undefined {
  return childrenOf(outer)
    .flatMap(childrenOf)
    .find((pid) => pidInside(pid) === insidePid);
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

function pidInside(pid: number): number {
  const line = /^NSpid:(.*)$/mu.exec(read(`/proc/${pid}/status`))?.[1];
  return Number(line?.trim().split(/\s+/u).at(-1));
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
