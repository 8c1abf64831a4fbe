import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { syscallNumber } from "./seccomp/syscalls.ts";
import type { Syscall } from "./seccomp/syscalls.ts";
import {
  BASE_MOUNTS,
  buildAttempt,
  inside,
  lacking,
  outside,
  probeSubject,
  specFor,
  start,
  SUBJECT,
  temporaryFolder,
} from "./testing/harness.ts";
import { NODE } from "./testing/reachable.ts";

const host = await probeSubject();
const skip = lacking(host);
const architecture = host.architecture ?? "x86_64";
const idle = "setInterval(() => undefined, 1000); console.log('up')";
const network = { tcp: [], udp: [], bind: [18789], dial: 18789 };

/** What a raw call gives outside and inside; arguments as native/attempt.c takes them. */
const CALLS: readonly (readonly [Syscall, readonly string[], string])[] = [
  ["unshare", ["0x10000000"], "EPERM"],
  ["unshare", ["0x20000"], "EPERM"],
  ["clone", ["0x10000011"], "EPERM"],
  ["clone3", ["0", "0"], "ENOSYS"],
  ["setns", ["0", "0"], "EPERM"],
  ["mount", ["s:none", "s:/tmp", "s:tmpfs", "0", "0"], "EPERM"],
  ["umount2", ["s:/usr", "2"], "EPERM"],
  ["pivot_root", ["s:/tmp", "s:/tmp"], "EPERM"],
  ["chroot", ["s:/tmp"], "EPERM"],
  ["fsopen", ["s:tmpfs", "0"], "EPERM"],
  ["open_tree", ["0", "s:/", "0"], "EPERM"],
  ["ptrace", ["0"], "EPERM"],
  ["keyctl", ["0", "0xfffffffd", "1"], "EPERM"],
  ["add_key", ["s:user", "s:name", "s:value", "5", "0xfffffffd"], "EPERM"],
  ["io_uring_setup", ["1", "0"], "ENOSYS"],
  ["bpf", ["0", "0", "0"], "EPERM"],
  ["userfaultfd", ["1"], "EPERM"],
  ["perf_event_open", ["0", "0", "0", "0", "0"], "EPERM"],
  ["open_by_handle_at", ["0", "0", "0"], "EPERM"],
  ["finit_module", ["0", "s:", "0"], "EPERM"],
  ["process_vm_readv", ["1", "0", "0", "0", "0", "0"], "EPERM"],
  ["execveat", ["0", "s:", "0", "0", "0x1000"], "ENOSYS"],
  ["ioctl", ["0", "0x5412", "s:x"], "EPERM"],
  ["ioctl", ["0", "0x100005412", "s:x"], "EPERM"],
  ["ioctl", ["0", "0x541c", "s:x"], "EPERM"],
  ["socket", ["17", "3", "0"], "EAFNOSUPPORT"],
  ["socket", ["40", "1", "0"], "EAFNOSUPPORT"],
  ["socket", ["2", "3", "1"], "EPROTONOSUPPORT"],
  ["socket", ["2", "2", "1"], "EPROTONOSUPPORT"],
  ["personality", ["0x40000"], "EPERM"],
];

const runAll = (program: string) => `
  const { spawnSync } = require("child_process");
  const calls = ${JSON.stringify(CALLS.map(([name, args]) => [String(syscallNumber(name, architecture)), ...args]))};
  return calls.map((words) => {
    const done = spawnSync("${program}", ["call", ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
    return done.error?.code ?? done.signal ?? JSON.parse(done.stdout).error ?? "done";
  });`;

test("a walled process's dangerous system calls are refused by the filter", { skip }, async (t) => {
  const attempt = buildAttempt(temporaryFolder(t));
  const mounts = [...BASE_MOUNTS, { kind: "read", from: attempt, to: "/attempt" }] as const;
  const walled = (await inside(t, host, runAll("/attempt"), { mounts, execute: ["/attempt"] }))
    .value as string[];
  const free = (await outside(runAll(attempt))).value as string[];
  const named = (results: readonly string[]) =>
    CALLS.map(([name, args], index) => `${name} ${args.join(" ")}: ${results[index]}`);
  assert.deepEqual(named(walled), named(CALLS.map(([, , error]) => error)));
  // The control: without the filter the kernel takes most of them, or fails for another reason.
  const differ = CALLS.filter(([, , error], index) => free[index] !== error).map(([name]) => name);
  for (const name of ["unshare", "clone", "ptrace", "keyctl", "personality", "ioctl"] as const)
    assert.ok(differ.includes(name), `${name} is refused without the wall too`);
});

const run = (...words: string[]) =>
  `return require("child_process").spawnSync("/attempt", ${JSON.stringify(words)}).signal`;

test(
  "a walled process can't call in another architecture's way",
  { skip: skip || (architecture === "x86_64" ? false : "only x86-64 has two other ways") },
  async (t) => {
    const attempt = buildAttempt(temporaryFolder(t));
    const mounts = [...BASE_MOUNTS, { kind: "read", from: attempt, to: "/attempt" }] as const;
    const changes = { mounts, execute: ["/attempt"] };
    const x32 = await inside(t, host, run("call", "0x40000027"), changes);
    assert.deepEqual(x32, { value: "SIGSYS" });
    const i386 = await inside(t, host, run("int80"), changes);
    // A kernel without 32-bit emulation raises SIGSEGV for the instruction itself.
    assert.ok(i386.value === "SIGSYS" || i386.value === "SIGSEGV", String(i386.value));
  },
);

test("a walled process sees, signals and reads no process but its own", { skip }, async (t) => {
  const other = spawn(process.execPath, ["-e", idle], {
    stdio: ["ignore", "pipe", "inherit"],
    ...SUBJECT,
  });
  t.after(() => other.kill("SIGKILL"));
  await once(other.stdout, "data");
  const signal = `process.kill(${other.pid}, 0); return "signalled"`;
  assert.deepEqual(await outside(signal), { value: "signalled" });
  assert.deepEqual(await inside(t, host, signal), { error: "ESRCH" });
  const seen = await inside(
    t,
    host,
    `return require("fs").readdirSync("/proc").filter((name) => /^\\d+$/.test(name))`,
  );
  assert.deepEqual(seen, { value: ["1", "2"] });
});

test("a walled process can't touch the dialer or pid 1", { skip }, async (t) => {
  const own = await inside(
    t,
    host,
    `return require("fs").readFileSync("/proc/self/environ", "utf8").includes("SHELL")`,
    { network },
  );
  assert.deepEqual(own, { value: true });
  const name = await inside(t, host, `return require("fs").readFileSync("/proc/3/comm", "utf8")`, {
    network,
  });
  assert.deepEqual(name, { value: "seawall-dialer\n" });
  for (const landlock of [host.landlock, 0])
    for (const pid of [1, 3]) {
      const changes = { network, concessions: ["no-landlock"] } as const;
      for (const file of ["environ", "mem", "maps", "fd/0", "root/usr", "cwd", "ns/net", "exe"]) {
        const body = `require("fs").openSync("/proc/${pid}/${file}"); return "opened"`;
        const { error } = await inside(t, { ...host, landlock }, body, changes);
        assert.ok(error === "EACCES" || error === "EPERM", `/proc/${pid}/${file}: ${error}`);
      }
    }
  for (const pid of [1, 3])
    assert.deepEqual(await inside(t, host, `process.kill(${pid}, "SIGKILL")`, { network }), {
      error: "EPERM",
    });
});

test(
  "a walled process has no capability, can get none and makes no user namespace",
  { skip },
  async (t) => {
    const body = `
    const status = require("fs").readFileSync("/proc/self/status", "utf8");
    return { caps: [...status.matchAll(/^Cap\\w+:\\s*(\\w+)$/gm)].map((match) => match[1]),
      privileges: /NoNewPrivs:\\s*(\\d)/.exec(status)[1],
      limit: require("fs").readFileSync("/proc/sys/user/max_user_namespaces", "utf8").trim() };`;
    assert.deepEqual(await inside(t, host, body), {
      value: {
        caps: Array.from({ length: 5 }, () => "0000000000000000"),
        privileges: "1",
        limit: "0",
      },
    });
  },
);

test("kill() reaches the confined process, whose end ends everything", { skip }, async (t) => {
  const code = `process.on("SIGTERM", () => { console.log("asked to end"); process.exit(7); }); ${idle}`;
  const started = start(t, host, { ...specFor(code), network });
  const pids = await running(started.process.inner());
  await started.printed;
  assert.equal(started.process.kill("SIGTERM"), true);
  assert.deepEqual(await started.finished, { code: 7, signal: null });
  assert.match(started.output(), /asked to end/u);
  assert.equal(started.process.kill("SIGTERM"), false);
  await gone([...pids, started.process.pid ?? 0]);
});

test("kill() before the wall stands ends the start", { skip }, async (t) => {
  const started = start(t, host, specFor(idle));
  assert.equal(started.process.kill("SIGTERM"), true);
  assert.deepEqual(await started.finished, { code: null, signal: "SIGKILL" });
  await assert.rejects(started.process.inner(), { code: "start" });
});

test(
  "a signal that kills the confined process is its exit code, as in a shell",
  { skip },
  async (t) => {
    const started = start(t, host, specFor(idle));
    await started.process.inner();
    started.process.kill("SIGKILL");
    assert.deepEqual(await started.finished, { code: 137, signal: null });
  },
);

test("nothing is left when the supervisor is killed", { skip }, async (t) => {
  for (const namespaces of ["own", "host"] as const) {
    const fixture = fileURLToPath(new URL("./testing/supervisor.ts", import.meta.url));
    const supervisor = spawn(process.execPath, [fixture, namespaces], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => supervisor.kill("SIGKILL"));
    const pids = await printedPids(supervisor);
    const wanted = namespaces === "own" ? 4 : 1;
    assert.equal(pids.length, wanted, `${namespaces}: ${pids.join(" ")}`);
    for (const pid of pids) assert.ok(existsSync(`/proc/${pid}`));
    supervisor.kill("SIGKILL");
    await gone(pids);
  }
});

test("an ordinary user's wall is root's wall", { skip: skip || ordinaryUser() }, async (t) => {
  const fixture = fileURLToPath(new URL("./testing/supervisor.ts", import.meta.url));
  const supervisor = spawn(NODE, [fixture, "own"], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: "/",
    ...SUBJECT,
  });
  t.after(() => supervisor.kill("SIGKILL"));
  const pids = await printedPids(supervisor);
  assert.equal(pids.length, 4);
  const confined = readFileSync(`/proc/${pids.at(-1)}/status`, "utf8");
  assert.match(confined, /^CapEff:\s*0{16}$/mu);
  assert.match(confined, /^Seccomp:\s*2$/mu);
  supervisor.kill("SIGKILL");
  await gone(pids);
});

/** Why an ordinary user's wall can't be tried here, for a visible skip. */
function ordinaryUser(): string | false {
  if (SUBJECT.uid === undefined) return "this is an ordinary user already";
  const fixture = fileURLToPath(new URL("./testing/supervisor.ts", import.meta.url));
  const { status } = spawnSync("test", ["-r", fixture], SUBJECT);
  return status === 0 ? false : "this folder can't be read by an ordinary user";
}

/** The line of JSON that testing/supervisor.ts prints, or an error if it ends without. */
async function printedPids(
  supervisor: ChildProcessByStdio<null, Readable, null>,
): Promise<number[]> {
  for await (const line of createInterface({ input: supervisor.stdout })) {
    return JSON.parse(line) as number[];
  }
  throw new Error("the supervisor ended without printing its processes");
}

/** The host pids of the confined process and its siblings, pid 1 included. */
async function running(inner: Promise<number>): Promise<number[]> {
  const pid = await inner;
  const parent = Number(/^PPid:\s*(\d+)$/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8");
  return [parent, ...children.trim().split(" ").map(Number)];
}

/** Waits until none of the processes is there; the test's own time limit ends it otherwise. */
async function gone(pids: readonly number[]): Promise<void> {
  while (pids.some(alive)) await new Promise((resolve) => setImmediate(resolve));
}

/** A zombie has ended too; who must reap it is not our matter. */
function alive(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/mu.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("nothing of the wall is mounted on the host", { skip }, async (t: TestContext) => {
  const before = readFileSync("/proc/self/mountinfo", "utf8");
  const started = start(t, host, specFor(idle));
  await started.process.inner();
  assert.equal(readFileSync("/proc/self/mountinfo", "utf8"), before);
  assert.ok(!readdirSync("/").includes("newroot"));
});
