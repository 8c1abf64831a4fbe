import { isConditional } from "./SyscallPolicy.ts";
import type { SyscallPolicy, Verdict } from "./SyscallPolicy.ts";
import { SYSCALLS, syscallNumber } from "./syscalls.ts";
import type { Architecture } from "./syscalls.ts";

/** A system call as the kernel presents it to a filter. */
export interface Call {
  readonly architecture: Architecture | "other";
  /** Unsigned 32 bits. */
  readonly number: number;
  /** Unsigned 64 bits each. */
  readonly arguments: readonly [bigint, bigint, bigint, bigint, bigint, bigint];
}

/**
 * What a policy says of a call, read off the policy in the plainest way there is. Nothing is
 * enforced with it: tests hold the compiled filter against it, and `why` answers from it.
 */
export function interpretPolicy(
  policy: SyscallPolicy,
  architecture: Architecture,
  call: Call,
): Verdict {
  if (call.architecture !== architecture) return "kill";
  if (architecture === "x86_64" && call.number >= 0x40000000) return "kill";
  const name = SYSCALLS.find((name) => syscallNumber(name, architecture) === call.number);
  const rule = (name === undefined ? undefined : policy.rules.get(name)) ?? policy.unknown;
  if (!isConditional(rule)) return rule;
  const met = rule.clauses.find((clause) =>
    clause.when.every(({ argument, mask, anyOf }) => {
      const seen = BigInt.asUintN(32, call.arguments[argument]) & BigInt(mask);
      return anyOf.some((value) => BigInt(value) === seen);
    }),
  );
  return met === undefined ? rule.otherwise : met.verdict;
}
