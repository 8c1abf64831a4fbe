import type { Syscall } from "./syscalls.ts";

/** What happens to a call. An errno is what the caller gets instead of the call. */
export type Verdict = "allow" | "kill" | { readonly errno: number };

/**
 * Holds if the low 32 bits of argument `argument`, masked, are one of `anyOf`. The kernel looks at
 * no more than these bits of every argument tested here; comparing 64 would let a caller pass a
 * filter by setting bits the kernel ignores (as CVE-2019-7303).
 */
export interface Condition {
  readonly argument: 0 | 1 | 2 | 3 | 4 | 5;
  readonly mask: number;
  readonly anyOf: readonly number[];
}

/** The first clause of which all conditions hold decides. */
export interface ConditionalRule {
  readonly clauses: readonly { readonly when: readonly Condition[]; readonly verdict: Verdict }[];
  readonly otherwise: Verdict;
}

export type SyscallRule = Verdict | ConditionalRule;

/** A policy over names; numbers come in when it is compiled for an architecture. */
export interface SyscallPolicy {
  readonly rules: ReadonlyMap<Syscall, SyscallRule>;
  /** Calls that the table doesn't know: those of a kernel newer than it. */
  readonly unknown: Verdict;
}

/** Whether `rule` depends on arguments. */
export function isConditional(rule: SyscallRule): rule is ConditionalRule {
  return typeof rule === "object" && "clauses" in rule;
}
