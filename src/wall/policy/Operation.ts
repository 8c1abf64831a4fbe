import type { Ruleset } from "../landlock/compile.ts";
import type { Instruction } from "../seccomp/bpf.ts";

/** One thing seawall-launch does, in the order given; any that fails refuses the start. */
export type Operation =
  /** The process gets this signal when the one that started it ends. */
  | { readonly op: "death-signal"; readonly signal: number }
  /** Soft and hard limit alike; `resource` as in setrlimit(2). */
  | { readonly op: "limit"; readonly resource: number; readonly value: bigint }
  | { readonly op: "umask"; readonly mask: number }
  | { readonly op: "directory"; readonly path: string }
  /** Every address becomes local to this network namespace. */
  | { readonly op: "loopback" }
  /** Makes a listener for every address and sends it over the channel. IPv6 is skipped where there is none. */
  | {
      readonly op: "listen";
      readonly protocol: "tcp" | "udp";
      readonly family: 4 | 6;
      readonly port: number;
      /** At 127.0.0.1 only, since the network is the host's. */
      readonly local?: boolean;
    }
  /** Makes a Unix socket, sends it over the channel, and makes the mount at `folder` read-only. */
  | { readonly op: "socket"; readonly folder: string; readonly name: string }
  /** Waits until the supervisor has taken every listener. */
  | { readonly op: "acknowledged" }
  | {
      readonly op: "dialer";
      readonly port: number;
      readonly timeoutMs: number;
      readonly landlock: Ruleset | undefined;
      readonly filter: readonly Instruction[];
    }
  /** A user namespace of its own, in which no further one can be made. */
  | { readonly op: "user-namespace"; readonly uid: number; readonly gid: number }
  | { readonly op: "no-new-privileges" }
  /** All sets emptied; the bounding set and locked securebits only where the process owns its user namespace. */
  | { readonly op: "capabilities"; readonly bounding: boolean; readonly securebits: boolean }
  /** Every mount becomes noexec, but for these paths; takes CAP_SYS_ADMIN over the mounts. */
  | { readonly op: "code"; readonly paths: readonly string[] }
  /** Refuses if another file is at `path` than when the policy was made. */
  | {
      readonly op: "expect";
      readonly path: string;
      readonly device: bigint;
      readonly inode: bigint;
    }
  | { readonly op: "landlock"; readonly ruleset: Ruleset }
  | { readonly op: "filter"; readonly filter: readonly Instruction[] }
  /** Every descriptor from 3 on but these, ascending, closes at the exec. */
  | { readonly op: "descriptors"; readonly keep: readonly number[] }
  /** Tells the supervisor that everything is in force. */
  | { readonly op: "ready" }
  /** Variables that the command gets from the launcher's own environment, where they are set. */
  | { readonly op: "pass"; readonly names: readonly string[] }
  /** This descriptor becomes a socket connected to `$NOTIFY_SOCKET` (sd_notify(3)). */
  | { readonly op: "notify"; readonly descriptor: number }
  /** The last one. `once` = no other exec afterwards. */
  | {
      readonly op: "execute";
      readonly once: boolean;
      readonly path: string;
      readonly arguments: readonly string[];
      readonly environment: readonly string[];
    };
