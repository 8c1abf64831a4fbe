import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { test } from "node:test";
import * as fc from "fast-check";
import { compileLandlock } from "../landlock/compile.ts";
import { LAUNCHER } from "../testing/reachable.ts";
import { specFor } from "../testing/harness.ts";
import { encodePolicy } from "./encode.ts";
import type { Operation } from "./Operation.ts";

const launcher = LAUNCHER;
const SUCCESS = 42;

function execute(path: string, ...args: string[]): Operation {
  return { op: "execute", once: false, path, arguments: [path, ...args], environment: [] };
}

interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly errors: string;
}

/** Runs the launcher on a policy from descriptor 3. */
async function launch(policy: Uint8Array, ...args: string[]): Promise<Run> {
  const child = spawn(launcher, ["--policy-fd", "3", ...args], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr?.on("data", (data: Buffer) => (errors += data.toString()));
  const pipe = child.stdio[3];
  if (pipe !== null && pipe !== undefined && "end" in pipe) {
    pipe.on("error", () => undefined);
    pipe.end(policy);
  }
  const { promise, resolve } = Promise.withResolvers<Run>();
  child.on("close", (code, signal) => resolve({ code, signal, errors }));
  return promise;
}

const good: readonly Operation[] = [
  { op: "umask", mask: 0o077 },
  { op: "directory", path: "/" },
  { op: "no-new-privileges" },
  { op: "descriptors", keep: [] },
  execute("/bin/sh", "-c", `exit ${SUCCESS}`),
];

test("seawall-launch runs a policy's command", async () => {
  assert.equal((await launch(encodePolicy(good))).code, SUCCESS);
});

test("seawall-launch refuses a policy that is cut short anywhere, before doing anything", async () => {
  const policy = encodePolicy(good);
  for (let length = 0; length < policy.length; length += 7) {
    const run = await launch(policy.subarray(0, length));
    assert.equal(run.code, 126);
    assert.match(run.errors, /^seawall-launch: policy: [^\n]+\n$/u);
  }
});

test("seawall-launch refuses trailing bytes, other versions, unknown operations and no command", async () => {
  const policy = Buffer.from(encodePolicy(good));
  const changed = (at: number, value: number) => {
    const copy = Buffer.from(policy);
    copy.writeUInt32LE(value, at);
    return copy;
  };
  const grown = Buffer.concat([
    changed(12, policy.length + 8),
    Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]),
  ]);
  const twice = encodePolicy([execute("/bin/true"), execute("/bin/true")]);
  for (const [bytes, message] of [
    [Buffer.concat([policy, Buffer.from("x")]), "is not as long as it says"],
    [grown, "goes on after its command"],
    [twice, "goes on after its command"],
    [changed(8, 2), "is of another version"],
    [changed(0, 0), "is not a policy"],
    [changed(16, 99), "has an operation this launcher doesn't know"],
    [encodePolicy([{ op: "umask", mask: 0 }]), "names no command"],
    [encodePolicy([]), "names no command"],
  ] as const) {
    const run = await launch(bytes);
    assert.equal(run.code, 126);
    assert.equal(run.errors, `seawall-launch: policy: ${message}\n`);
  }
});

test("seawall-launch never runs anything from a damaged policy, nor crashes", async () => {
  const ruleset = compileLandlock(specFor("0"), 7, []);
  const policy = encodePolicy([
    { op: "umask", mask: 0o077 },
    { op: "directory", path: "/" },
    { op: "no-new-privileges" },
    ...(ruleset === undefined ? [] : [{ op: "landlock", ruleset } as const]),
    { op: "descriptors", keep: [] },
    // Even what is still a policy after the damage must not do anything.
    execute("/nonexistent/program", "argument"),
  ]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(policy.length - 1), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 6,
      }),
      async (damage) => {
        const bytes = Buffer.from(policy);
        for (const [at, value] of damage) bytes[at] = value;
        const run = await launch(bytes);
        assert.deepEqual([run.code, run.signal], [126, null], run.errors);
        assert.match(run.errors, /^seawall-launch: [^\n]*\n$/u);
      },
    ),
    { numRuns: 250, seed: 20260921 },
  );
});

test("seawall-launch says which operation failed, on what, with the errno", async () => {
  for (const [operation, line] of [
    [
      { op: "directory", path: "/nonexistent" },
      "directory: /nonexistent: No such file or directory (ENOENT)",
    ],
    [
      { op: "descriptors", keep: [200] },
      "descriptors: one to keep is not open: Bad file descriptor (EBADF)",
    ],
    [
      { op: "listen", protocol: "tcp", family: 4, port: 1 },
      "listen: needs a channel to hand listeners over",
    ],
  ] as const) {
    const run = await launch(encodePolicy([operation, execute("/bin/true")]));
    assert.equal(run.code, 126);
    assert.equal(run.errors, `seawall-launch: ${line}\n`);
  }
  const run = await launch(encodePolicy([execute('/nonexistent/\x1b[31m"')]));
  assert.equal(
    run.errors,
    'seawall-launch: execute: /nonexistent/?[31m": No such file or directory (ENOENT)\n',
  );
});

test("seawall-launch refuses when its parent has gone", async () => {
  const policy = encodePolicy([
    { op: "death-signal", signal: 9 },
    execute("/bin/sh", "-c", `exit ${SUCCESS}`),
  ]);
  assert.equal((await launch(policy, "--parent", String(process.pid))).code, SUCCESS);
  const orphan = await launch(policy, "--parent", "1");
  assert.equal(orphan.code, 126);
  assert.match(orphan.errors, /the parent has gone/u);
});

test("seawall-launch refuses arguments it doesn't know", () => {
  for (const args of [
    [],
    ["--policy-fd"],
    ["--policy-fd", "x"],
    ["--policy-fd", "-1"],
    ["--other", "1"],
    ["--policy-fd", "77"],
  ]) {
    const run = spawnSync(launcher, args, { encoding: "utf8" });
    assert.equal(run.status, 126, args.join(" "));
    assert.match(run.stderr, /^seawall-launch: /u);
  }
});

test("encodePolicy() refuses a NUL in a string", () => {
  assert.throws(() => encodePolicy([execute("/bin/true", "a\0b")]), RangeError);
});
