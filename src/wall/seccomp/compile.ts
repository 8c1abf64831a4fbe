import {
  AND,
  AUDIT_ARCHITECTURE,
  instruction,
  JUMP,
  JUMP_AT_LEAST,
  JUMP_EQUAL,
  LOAD,
  MAX_INSTRUCTIONS,
  OFFSET_ARCHITECTURE,
  OFFSET_ARGUMENTS,
  OFFSET_NUMBER,
  RETURN,
  RETURN_ALLOW,
  RETURN_ERRNO,
  RETURN_KILL,
  X32_BIT,
} from "./bpf.ts";
import type { Instruction } from "./bpf.ts";
import { isConditional } from "./SyscallPolicy.ts";
import type { Condition, SyscallPolicy, SyscallRule, Verdict } from "./SyscallPolicy.ts";
import { SYSCALLS, syscallNumber } from "./syscalls.ts";
import type { Architecture } from "./syscalls.ts";

/** A run of call numbers with one rule, from `from` to where the next run starts. */
interface Run {
  readonly from: number;
  readonly rule: SyscallRule;
}

/**
 * Turns a policy into a filter for one architecture; calls in another are killed. Numbers are found
 * by binary search, so the longest path is a dozen instructions. Every piece of code ends in a
 * return, so pieces are simply put behind each other.
 */
export function compileFilter(
  policy: SyscallPolicy,
  architecture: Architecture,
): readonly Instruction[] {
  const kill = returning("kill");
  const program = [
    instruction(LOAD, OFFSET_ARCHITECTURE),
    instruction(JUMP_EQUAL, AUDIT_ARCHITECTURE[architecture], 1, 0),
    kill,
    instruction(LOAD, OFFSET_NUMBER),
    ...(architecture === "x86_64" ? [instruction(JUMP_AT_LEAST, X32_BIT, 0, 1), kill] : []),
    ...search(runsOf(policy, architecture)),
  ];
  if (program.length > MAX_INSTRUCTIONS) throw new RangeError("the filter is too long");
  return program;
}

/** All numbers from 0 upward as runs, neighbours with the same verdict joined. */
function runsOf(policy: SyscallPolicy, architecture: Architecture): readonly Run[] {
  const byNumber = new Map<number, SyscallRule>();
  for (const name of SYSCALLS) {
    const number = syscallNumber(name, architecture);
    const rule = policy.rules.get(name);
    if (number !== undefined && rule !== undefined) byNumber.set(number, rule);
  }
  const end = Math.max(0, ...byNumber.keys()) + 1;
  const runs: Run[] = [];
  for (let number = 0; number <= end; number++) {
    const rule = byNumber.get(number) ?? policy.unknown;
    const last = runs.at(-1);
    if (last === undefined || !sameRule(last.rule, rule)) runs.push({ from: number, rule });
  }
  return runs;
}

function sameRule(one: SyscallRule, other: SyscallRule): boolean {
  if (isConditional(one) || isConditional(other)) return one === other;
  return returnValue(one) === returnValue(other);
}

function search(runs: readonly Run[]): readonly Instruction[] {
  const [first] = runs;
  if (first === undefined) throw new RangeError("a policy without runs");
  if (runs.length === 1) return decide(first.rule);
  const middle = runs.length >> 1;
  const lower = search(runs.slice(0, middle));
  const upper = search(runs.slice(middle));
  const pivot = runs[middle]?.from ?? 0;
  return lower.length <= 255
    ? [instruction(JUMP_AT_LEAST, pivot, lower.length, 0), ...lower, ...upper]
    : [
        instruction(JUMP_AT_LEAST, pivot, 0, 1),
        instruction(JUMP, lower.length),
        ...lower,
        ...upper,
      ];
}

function decide(rule: SyscallRule): readonly Instruction[] {
  if (!isConditional(rule)) return [returning(rule)];
  const code = rule.clauses.flatMap((clause) => {
    let body: readonly Instruction[] = [returning(clause.verdict)];
    for (const condition of clause.when.toReversed()) body = guard(condition, body);
    return body;
  });
  return [...code, returning(rule.otherwise)];
}

/** `body` if the condition holds, else past its end. */
function guard(condition: Condition, body: readonly Instruction[]): readonly Instruction[] {
  const { argument, mask, anyOf } = condition;
  const tests = anyOf.map((value, index) => {
    const last = index === anyOf.length - 1;
    return instruction(JUMP_EQUAL, value >>> 0, anyOf.length - 1 - index, last ? body.length : 0);
  });
  return [
    instruction(LOAD, OFFSET_ARGUMENTS + 8 * argument),
    ...(mask === 0xffffffff ? [] : [instruction(AND, mask)]),
    ...tests,
    ...body,
  ];
}

function returning(verdict: Verdict): Instruction {
  return instruction(RETURN, returnValue(verdict));
}

function returnValue(verdict: Verdict): number {
  if (verdict === "allow") return RETURN_ALLOW;
  if (verdict === "kill") return RETURN_KILL;
  return (RETURN_ERRNO | verdict.errno) >>> 0;
}
