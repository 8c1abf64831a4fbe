/** What the kernel is asked to enforce, one name per mechanism. */
export type Mechanism =
  | "namespaces"
  | "bubblewrap"
  | "network"
  | "ipv6"
  | "landlock"
  | "execution"
  | "protection"
  | "seccomp"
  | "capabilities"
  | "processes"
  | "seatbelt"
  | "limits"
  /** What would be left under one, for a host. */
  | "concession";

/** How far one mechanism is enforced, on a host (`probeHost`) or for one process (`compileWall`). */
export interface MechanismReport {
  readonly mechanism: Mechanism;
  readonly state: "enforced" | "partly" | "missing";
  /** One lower-case line: what holds, or what is lacking and what holds in its place. */
  readonly detail: string;
  /** The line to type that would make it better. */
  readonly remedy?: string;
}
