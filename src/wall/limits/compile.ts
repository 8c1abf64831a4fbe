import type { CgroupAccess } from "./CgroupAccess.ts";
import type { MechanismReport } from "../MechanismReport.ts";
import type { ResourceLimits } from "../WallSpec.ts";

// include/uapi/asm-generic/resource.h
const RLIMIT_FSIZE = 1;
const RLIMIT_DATA = 2;
const RLIMIT_NPROC = 6;
const RLIMIT_NOFILE = 7;

/** What one process's limits come to on a host: what the launcher sets, and what is set from outside. */
export interface CompiledLimits {
  /** For setrlimit(2), before the process has a user namespace of its own, and in it. */
  readonly early: readonly { readonly resource: number; readonly value: bigint }[];
  readonly late: readonly { readonly resource: number; readonly value: bigint }[];
  readonly group: CompiledGroup | undefined;
  readonly report: MechanismReport | undefined;
}

/** Files of a control group and what is written to them; or systemd's properties. */
export type CompiledGroup =
  | { readonly by: "files"; readonly folders: readonly GroupFolder[] }
  | { readonly by: "systemd"; readonly command: readonly [string, ...string[]] };

export interface GroupFolder {
  /** An existing group, in which one of our own is made. */
  readonly parent: string;
  readonly values: readonly { readonly file: string; readonly text: string }[];
}

/** Microseconds in which a processor's time is shared out; the kernel's own default. */
const CPU_PERIOD = 100_000;

/** How RLIMIT_NPROC works for whoever is walled. */
export interface Counting {
  readonly ownNamespaces: boolean;
  /** As HostCapabilities has it. */
  readonly countsProcesses: boolean;
}

/**
 * Carries each limit by the best mechanism there is: a control group bounds all processes together;
 * rlimits bound each process, but for the number of processes, which the kernel counts per user
 * namespace (Linux 5.14), so that it bounds exactly what is in this wall; but not root's.
 */
export function compileLimits(
  limits: ResourceLimits,
  access: CgroupAccess,
  { ownNamespaces, countsProcesses }: Counting,
): CompiledLimits {
  const { memory, processes, openFiles, fileSize, cpu } = limits;
  const carried = controllersOf(access);
  const rlimit = (resource: number, value: number | undefined) =>
    value === undefined ? [] : [{ resource, value: BigInt(value) }];
  const together = (name: Controller, value: number | undefined) =>
    value !== undefined && carried.has(name) ? value : undefined;
  const wanted = {
    memory: together("memory", memory),
    pids: together("pids", processes),
    cpu: together("cpu", cpu),
  };
  return {
    early: [
      ...rlimit(RLIMIT_FSIZE, fileSize),
      ...(ownNamespaces ? [] : rlimit(RLIMIT_NOFILE, openFiles)),
      // The kernel counts private writable memory here, not address space, of which V8 reserves much.
      ...rlimit(RLIMIT_DATA, wanted.memory === undefined ? memory : undefined),
    ],
    late: ownNamespaces
      ? [
          // Building the wall takes a descriptor for each file that may be code.
          ...rlimit(RLIMIT_NOFILE, openFiles),
          // In the host's namespaces it would count whatever else this user runs.
          ...rlimit(RLIMIT_NPROC, processes),
        ]
      : [],
    group: compileGroup(access, wanted),
    report: describeLimits(limits, access, carried, ownNamespaces && countsProcesses),
  };
}

/** Whether the memory of many processes can be bounded together. */
export function boundsMemory(access: CgroupAccess): boolean {
  return controllersOf(access).has("memory");
}

type Controller = "memory" | "pids" | "cpu";
type Wanted = Readonly<Record<Controller, number | undefined>>;

function controllersOf(access: CgroupAccess): ReadonlySet<Controller> {
  switch (access.kind) {
    case "v2":
      return new Set(access.controllers);
    case "v1":
      return new Set(Object.keys(access.folders) as Controller[]);
    case "systemd":
      return new Set(["memory", "pids", "cpu"]);
    case "none":
      return new Set();
    default:
      return access satisfies never;
  }
}

function compileGroup(access: CgroupAccess, wanted: Wanted): CompiledGroup | undefined {
  const { memory, pids, cpu } = wanted;
  if (memory === undefined && pids === undefined && cpu === undefined) return undefined;
  const file = (name: string, value: number | string | undefined) =>
    value === undefined ? [] : [{ file: name, text: String(value) }];
  const quota = cpu === undefined ? undefined : Math.max(1000, Math.round(cpu * CPU_PERIOD));
  switch (access.kind) {
    case "v2":
      return {
        by: "files",
        folders: [
          {
            parent: access.folder,
            values: [
              ...file("memory.max", memory),
              // Else a full group would go on in swap, at the cost of everybody else.
              ...file("memory.swap.max", memory === undefined ? undefined : 0),
              ...file("pids.max", pids),
              ...file("cpu.max", quota === undefined ? undefined : `${quota} ${CPU_PERIOD}`),
            ],
          },
        ],
      };
    case "v1": {
      const values: Readonly<Record<Controller, GroupFolder["values"]>> = {
        memory: file("memory.limit_in_bytes", memory),
        pids: file("pids.max", pids),
        cpu: [
          ...file("cpu.cfs_period_us", quota === undefined ? undefined : CPU_PERIOD),
          ...file("cpu.cfs_quota_us", quota),
        ],
      };
      const folders = (["memory", "pids", "cpu"] as const).flatMap((name) => {
        const parent = access.folders[name];
        return parent === undefined || values[name].length === 0
          ? []
          : [{ parent, values: values[name] }];
      });
      return { by: "files", folders };
    }
    case "systemd": {
      const property = (name: string, value: number | string | undefined) =>
        value === undefined ? [] : ["-p", `${name}=${value}`];
      return {
        by: "systemd",
        command: [
          access.program,
          ...(access.user ? ["--user"] : []),
          "--scope",
          "--quiet",
          "--collect",
          ...property("MemoryMax", memory),
          ...property("MemorySwapMax", memory === undefined ? undefined : 0),
          ...property("TasksMax", pids),
          ...property("CPUQuota", cpu === undefined ? undefined : `${Math.round(cpu * 100)}%`),
          "--",
        ],
      };
    }
    case "none":
      return undefined;
    default:
      return access satisfies never;
  }
}

/** Which mechanism carries each limit, in one line. */
function describeLimits(
  limits: ResourceLimits,
  access: CgroupAccess,
  carried: ReadonlySet<Controller>,
  counted: boolean,
): MechanismReport | undefined {
  const { memory, processes, openFiles, fileSize, cpu } = limits;
  const group = access.kind === "systemd" ? "systemd" : `cgroup ${access.kind}`;
  const told: string[] = [];
  let state: MechanismReport["state"] = "enforced";
  const weaker = (to: "partly") => (state = to);
  if (memory !== undefined) {
    if (!carried.has("memory")) weaker("partly");
    told.push(carried.has("memory") ? `memory by ${group}` : "memory by rlimit, of each process");
  }
  if (processes !== undefined) {
    const by = [...(carried.has("pids") ? [group] : []), ...(counted ? ["rlimit"] : [])];
    if (by.length === 0) weaker("partly");
    told.push(`processes by ${by.join(" and ") || "nothing"}`);
  }
  if (openFiles !== undefined) told.push("open files by rlimit");
  if (fileSize !== undefined) told.push("file size by rlimit");
  if (cpu !== undefined) {
    if (!carried.has("cpu")) weaker("partly");
    told.push(carried.has("cpu") ? `processor time by ${group}` : "processor time by nothing");
  }
  if (told.length === 0) return undefined;
  const detail = told.join("; ");
  if (state === "enforced" || access.kind !== "none") return { mechanism: "limits", state, detail };
  return {
    mechanism: "limits",
    state,
    detail: `${detail} (${access.reason})`,
    ...(access.remedy === undefined ? {} : { remedy: access.remedy }),
  };
}
