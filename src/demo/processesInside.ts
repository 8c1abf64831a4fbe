import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { DemoError } from "./DemoError.ts";

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** How many pid namespaces deep it is, counted from ours. */
  readonly depth: number;
  /** Undefined when the system doesn't let us see it. */
  readonly namespace: string | undefined;
}

/**
 * The pids, as this process sees them, of everything in the pid namespace of `namespacePid` or in one
 * nested in it, ascending; including processes that were put there from outside (setns(2)) and ones
 * whose namespace can't be seen but whose parent or child is inside.
 *
 * The kernel tells a namespace's parent only by ioctl(2), which Node has not. So it is concluded: the
 * first process of a namespace is a child of a process in the parent namespace, and the length of
 * `NSpid` (proc_pid_status(5)) says how deep a process is. Where that leaves it open, as when the
 * namespace was made through setns(2), a deeper process counts as inside: one too many is searched
 * rather than one too few.
 *
 * @throws DemoError `no-process` when there is no such process or its namespace can't be seen
 */
export function processesInside(namespacePid: number): number[] {
  const all = new Map<number, Process>();
  for (const name of readdirSync("/proc")) {
    const process = /^\d+$/.test(name) ? readProcess(Number(name)) : undefined;
    if (process !== undefined) all.set(process.pid, process);
  }
  const first = all.get(namespacePid);
  if (first?.namespace === undefined) {
    throw new DemoError("no-process", `can't see the namespace of process ${namespacePid}`, {
      hint: "it may have ended; or run this as the user who started it",
    });
  }
  const inside = new Set<Process>();
  for (const process of all.values()) {
    if (process.namespace === first.namespace) inside.add(process);
  }
  for (let size = -1; size !== inside.size;) {
    size = inside.size;
    for (const process of all.values()) {
      const parent = all.get(process.parent);
      if (inside.has(process)) {
        // The unseen parent of a process inside is inside as well, unless it is further out.
        if (parent?.namespace === undefined && parent?.depth === process.depth) inside.add(parent);
      } else if (
        process.namespace === undefined ? process.depth >= first.depth : process.depth > first.depth
      ) {
        const orphaned =
          parent === undefined || parent.depth < Math.min(process.depth - 1, first.depth);
        if (orphaned ? process.depth > first.depth : inside.has(parent)) inside.add(process);
      }
    }
  }
  return [...inside].map((process) => process.pid).toSorted((a, b) => a - b);
}

function readProcess(pid: number): Process | undefined {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
  const field = (name: string): string =>
    new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
  let namespace: string | undefined;
  try {
    namespace = readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    namespace = undefined;
  }
  return {
    pid,
    parent: Number(field("PPid")),
    depth: field("NSpid").split(/\s+/).length,
    namespace,
  };
}
