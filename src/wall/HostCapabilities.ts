import type { CgroupAccess } from "./limits/CgroupAccess.ts";
import type { MechanismReport } from "./MechanismReport.ts";
import type { Architecture } from "./seccomp/syscalls.ts";

/** What this host can enforce for one uid, as found by trying. Plain data: it may be stored. */
export interface HostCapabilities {
  readonly architecture: Architecture | undefined;
  /** As `uname -r` says. */
  readonly kernel: string;
  readonly bubblewrap: Bubblewrap | undefined;
  readonly namespaces: Attempt;
  /** Landlock's ABI version, 0 where there is none. */
  readonly landlock: number;
  readonly seccomp: boolean;
  readonly ipv6: boolean;
  /** Whether mounts can be made noexec from inside (mount_setattr(2), Linux 5.12). */
  readonly noexec: boolean;
  /** Of whoever probes, not of `uid`: groups are made from outside. */
  readonly cgroups: CgroupAccess;
  /**
   * Whether the kernel holds this uid's processes to RLIMIT_NPROC: it exempts the first user of the
   * machine, in whatever namespaces (copy_process() in kernel/fork.c looks for INIT_USER).
   */
  readonly countsProcesses: boolean;
  /** ELF interpreters that exist here, which the kernel itself executes for other programs. */
  readonly loaders: readonly string[];
  /** Of macOS, which has Seatbelt and none of the above. */
  readonly seatbelt?: {
    /** sandbox-exec(1). */
    readonly program: string;
  };
  /** The same for people. */
  readonly mechanisms: readonly MechanismReport[];
}

export interface Bubblewrap {
  readonly path: string;
  /** As `0.8.0`. */
  readonly version: string;
  readonly recent: boolean;
}

export type Attempt =
  { readonly ok: true } | { readonly ok: false; readonly reason: string; readonly remedy?: string };
