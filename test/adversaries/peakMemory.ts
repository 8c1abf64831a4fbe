import { readFileSync, readdirSync, writeFileSync } from "node:fs";

/**
 * Begins to measure a process's peak memory (proc(5): writing 5 to `clear_refs` resets VmHWM).
 *
 * @returns what gives by how many MB it has grown at the most since; `undefined` when it can't be measured.
 */
export function peakMemory(pid: number | undefined): (() => number) | undefined {
  if (pid === undefined) return undefined;
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
    const before = fieldOf(pid, "VmRSS");
    return () => fieldOf(pid, "VmHWM") - before;
  } catch {
    return undefined;
  }
}

/** Resident memory in MB. */
export function residentMB(pid: number): number {
  return fieldOf(pid, "VmRSS");
}

/** How many descriptors a process has open. */
export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function fieldOf(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
}
