import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { encodeInstructions, RETURN_ALLOW, RETURN_ERRNO, RETURN_KILL } from "./bpf.ts";
import { compileFilter } from "./compile.ts";
import { dialerPolicy } from "./dialerPolicy.ts";
import { interpretPolicy } from "./interpretPolicy.ts";
import type { Call } from "./interpretPolicy.ts";
import { runBpf } from "./runBpf.ts";
import { ABSENT_SETS, ALLOWED_SETS, CHECKED_SET, namesOf, REFUSED_SETS } from "./sets.ts";
import { isConditional } from "./SyscallPolicy.ts";
import type { SyscallPolicy, SyscallRule, Verdict } from "./SyscallPolicy.ts";
import { SYSCALLS, syscallNumber } from "./syscalls.ts";
import type { Architecture, Syscall } from "./syscalls.ts";
import { walledPolicy } from "./walledPolicy.ts";

const ARCHITECTURES = ["x86_64", "aarch64"] as const;
const POLICIES: readonly SyscallPolicy[] = [
  walledPolicy({ processes: "any" }),
  walledPolicy({ processes: "any", sockets: "tcp" }),
  walledPolicy({ processes: "one" }),
  dialerPolicy(),
];

function expected(verdict: Verdict): number {
  if (verdict === "allow") return RETURN_ALLOW;
  if (verdict === "kill") return RETURN_KILL;
  return RETURN_ERRNO + verdict.errno;
}

const argument = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  // Values the rules look for, also with bits above the 32 that the kernel reads.
  fc
    .tuple(
      fc.constantFrom(0, 1, 2, 3, 6, 8, 10, 16, 17, 40, 0x5412, 0x541c, 0x5423, 0x8000, 0x2000),
      fc.constantFrom(0n, 1n << 32n, 0xffffffffn << 32n),
      fc.constantFrom(0n, 0x80000n, 0x800n, 0x10000000n, 0x00010000n, 0x20000000n),
    )
    .map(([value, high, flags]) => BigInt(value) | high | flags),
);

const call: fc.Arbitrary<Call> = fc.record({
  architecture: fc.constantFrom("x86_64", "aarch64", "other"),
  number: fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0, max: 480 }) },
    fc.integer({ min: 0, max: 0xffffffff }),
    fc.constantFrom(0x3fffffff, 0x40000000, 0x4000003b, 0xffffffff),
  ),
  arguments: fc.tuple(argument, argument, argument, argument, argument, argument),
});

const verdict: fc.Arbitrary<Verdict> = fc.oneof(
  fc.constantFrom("allow" as const, "kill" as const),
  fc.record({ errno: fc.integer({ min: 1, max: 133 }) }),
);
const rule: fc.Arbitrary<SyscallRule> = fc.oneof(
  { weight: 4, arbitrary: verdict },
  fc.record({
    clauses: fc.array(
      fc.record({
        when: fc.array(
          fc.record({
            argument: fc.constantFrom(0, 1, 2, 3, 4, 5),
            mask: fc.constantFrom(0xffffffff, 0xf, 0x10000000, 0xf000),
            anyOf: fc.array(fc.constantFrom(0, 1, 2, 10, 0x8000, 0x10000000), {
              minLength: 1,
              maxLength: 4,
            }),
          }),
          { minLength: 1, maxLength: 3 },
        ),
        verdict,
      }),
      { maxLength: 4 },
    ),
    otherwise: verdict,
  }),
);
const policy: fc.Arbitrary<SyscallPolicy> = fc.record({
  rules: fc
    .array(fc.tuple(fc.constantFrom(...SYSCALLS), rule), { maxLength: 400 })
    .map((entries) => new Map<Syscall, SyscallRule>(entries)),
  unknown: verdict,
});

test("compileFilter() agrees with interpretPolicy() on our policies, whatever the call", () => {
  for (const policy of POLICIES)
    for (const architecture of ARCHITECTURES) {
      const program = compileFilter(policy, architecture);
      fc.assert(
        fc.property(call, (call) => {
          const wanted = expected(interpretPolicy(policy, architecture, call));
          assert.equal(runBpf(program, call), wanted);
        }),
        { numRuns: 3000 },
      );
    }
});

test("compileFilter() agrees with interpretPolicy() on any policy", () => {
  fc.assert(
    fc.property(
      policy,
      fc.constantFrom(...ARCHITECTURES),
      fc.array(call, { minLength: 10, maxLength: 10 }),
      (policy, architecture, calls) => {
        const program = compileFilter(policy, architecture);
        for (const call of calls) {
          const wanted = expected(interpretPolicy(policy, architecture, call));
          assert.equal(runBpf(program, call), wanted);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("compileFilter() gives a filter within the kernel's limit, searched in few steps", () => {
  for (const policy of POLICIES)
    for (const architecture of ARCHITECTURES) {
      const program = compileFilter(policy, architecture);
      assert.ok(program.length < 500, `${program.length} instructions`);
      assert.equal(encodeInstructions(program).length, program.length * 8);
    }
});

test("the sets hold every system call exactly once", () => {
  const all = [
    ...[ALLOWED_SETS, REFUSED_SETS, ABSENT_SETS].flatMap((sets) => Object.values(sets)),
    CHECKED_SET,
  ].flatMap((set) => namesOf(set));
  assert.deepEqual(all.toSorted(), SYSCALLS.toSorted());
});

test("walledPolicy() has a rule by arguments for every call in the checked set", () => {
  const { rules } = walledPolicy({ processes: "any" });
  for (const name of namesOf(CHECKED_SET)) {
    const rule = rules.get(name);
    assert.ok(rule !== undefined && isConditional(rule), name);
  }
});

test("syscallNumber() gives no number twice", () => {
  for (const architecture of ARCHITECTURES) {
    const numbers = SYSCALLS.flatMap((name) => syscallNumber(name, architecture) ?? []);
    assert.equal(new Set(numbers).size, numbers.length);
  }
});

/** Calls that would be the end of the wall, by name and arguments, and what they must get. */
const REFUSALS: readonly (readonly [Syscall, readonly bigint[], number])[] = [
  ["clone", [0x10000011n], 1],
  ["clone", [0x7c020011n], 1],
  ["clone3", [0n], 38],
  ["unshare", [0n], 1],
  ["setns", [3n, 0n], 1],
  ["mount", [], 1],
  ["ptrace", [0n], 1],
  ["keyctl", [], 1],
  ["bpf", [], 1],
  ["io_uring_setup", [], 38],
  ["execveat", [], 38],
  ["memfd_create", [0n, 1n], 38],
  ["ioctl", [0n, 0x5412n], 1],
  ["ioctl", [0n, 0x1_0000_5412n], 1],
  ["ioctl", [0n, 0xffff_ffff_0000_541cn], 1],
  ["socket", [17n, 3n, 0n], 97],
  ["socket", [40n, 1n, 0n], 97],
  ["socket", [2n, 3n, 1n], 93],
  ["socket", [2n, 2n, 1n], 93],
  ["socket", [2n, 1n, 262n], 93],
  ["socket", [10n, 0x80001n, 132n], 93],
  ["socket", [16n, 3n, 12n], 93],
  ["mknodat", [0n, 0n, 0x6180n], 1],
  ["personality", [0x0040000n], 1],
];

test("walledPolicy() refuses what would open the wall", () => {
  for (const processes of ["any", "one"] as const)
    for (const architecture of ARCHITECTURES)
      for (const [name, given, errno] of REFUSALS)
        assert.deepEqual(
          verdictOf(walledPolicy({ processes }), architecture, name, given),
          { errno },
          `${name} ${given.join(" ")}`,
        );
});

test("walledPolicy() allows what Node needs", () => {
  const needed: readonly (readonly [Syscall, readonly bigint[]])[] = [
    ["clone", [0x3d0f00n]],
    ["socket", [2n, 0x80801n, 0n]],
    ["socket", [10n, 0x80802n, 17n]],
    ["socket", [16n, 0x80003n, 0n]],
    ["ioctl", [0n, 0x5401n]],
    ["execve", []],
    ["mmap", []],
  ];
  for (const processes of ["any", "one"] as const)
    for (const architecture of ARCHITECTURES)
      for (const [name, given] of needed)
        assert.equal(verdictOf(walledPolicy({ processes }), architecture, name, given), "allow");
});

test("walledPolicy() with one process has no second one, no signals and no Unix sockets", () => {
  const policy = walledPolicy({ processes: "one" });
  assert.deepEqual(verdictOf(policy, "x86_64", "clone", [0x01200011n]), { errno: 1 });
  for (const name of ["fork", "vfork", "kill", "pidfd_send_signal"] as const)
    assert.deepEqual(verdictOf(policy, "x86_64", name, []), { errno: 1 });
  assert.deepEqual(verdictOf(policy, "x86_64", "socket", [1n, 1n, 0n]), { errno: 97 });
});

function verdictOf(
  policy: SyscallPolicy,
  architecture: Architecture,
  name: Syscall,
  given: readonly bigint[],
): Verdict {
  const number = syscallNumber(name, architecture);
  if (number === undefined) {
    // fork and vfork don't exist on arm64; there the unknown answer stands.
    return architecture === "aarch64" ? policy.unknown : "kill";
  }
  const [a = 0n, b = 0n, c = 0n] = given;
  return interpretPolicy(policy, architecture, {
    architecture,
    number,
    arguments: [a, b, c, 0n, 0n, 0n],
  });
}
