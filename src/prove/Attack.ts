import type { Field } from "./Field.ts";
import type { Kernel } from "./inside/Kernel.ts";

/** In the order of the report. */
export const GROUPS = [
  "secrets",
  "network",
  "services",
  "execution",
  "escape",
  "persistence",
  "other bots",
  "exhaustion",
] as const;
export type Group = (typeof GROUPS)[number];

/** What kept an attack from getting through. */
export type Layer =
  | "mount namespace"
  | "network namespace"
  | "pid namespace"
  | "ipc namespace"
  | "user namespace"
  | "Landlock"
  | "seccomp"
  | "capabilities"
  | "seccomp or capabilities"
  | "no new privileges"
  | "read-only mount"
  | "noexec mount"
  | "file permissions"
  | "limits"
  | "cleared environment"
  | "closed descriptors"
  | "broker"
  | "ingress"
  | "kernel";

/**
 * What came of one attack. `held` comes from something that was seen: an error of the kernel, an
 * answer of the broker, nothing found in what could be read. What could not be tried is not held.
 */
export type Finding =
  | { readonly state: "through"; readonly detail: string }
  | { readonly state: "held"; readonly layer: Layer; readonly detail: string }
  | { readonly state: "untried"; readonly detail: string }
  /** There is nothing here that it could be tried on; `detail` says why. */
  | { readonly state: "inapplicable"; readonly detail: string };

/** What an attack has to work with: the process it runs in, and all there is to know about the outside. */
export interface Attacker {
  readonly field: Field;
  readonly kernel: Kernel;
  /** Goes into whatever is sent: a stand-in that receives it tells on the attack. */
  readonly tag: string;
  /** What each descriptor from 3 on was when the process began: `socket:[4711]`, `/etc/shadow`. */
  readonly descriptors: readonly string[];
}

/** One thing that somebody who has taken over a walled process would try. */
export interface Attack {
  /** Lower-case words with hyphens, unique. */
  readonly name: string;
  readonly group: Group;
  /** One line: what it tries. */
  readonly tries: string;
  /** Leaves nothing behind and harms nothing, also where it gets through. */
  readonly run: (attacker: Attacker) => Finding | Promise<Finding>;
}
