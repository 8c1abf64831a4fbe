import assert from "node:assert/strict";
import { chmodSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { compileWall } from "../compileWall.ts";
import type { HostCapabilities } from "../HostCapabilities.ts";
import { startWalled } from "../startWalled.ts";
import {
  BASE_MOUNTS,
  buildAttempt,
  inside,
  lacking,
  outside,
  probeSubject,
  program,
  ROOT,
  specFor,
  start,
  SUBJECT,
  temporaryFolder,
} from "../testing/harness.ts";
import { LAUNCHER } from "../testing/reachable.ts";
import type { Mount, ResourceLimits } from "../WallSpec.ts";
import type { CgroupAccess } from "./CgroupAccess.ts";
import { compileLimits } from "./compile.ts";
import { isFirstUser, probeHost } from "../probe/probeHost.ts";

const host = await probeSubject();
const skip = lacking(host);
const MB = 1 << 20;
const NONE: CgroupAccess = { kind: "none", reason: "taken away by the test" };
const bare: HostCapabilities = { ...host, cgroups: NONE };

/** Hosts to try a limit on: this one, and it without control groups. */
const HOSTS = [host, bare] as const;

function parents({ cgroups }: HostCapabilities): string[] {
  if (cgroups.kind === "v2") return [cgroups.folder];
  return cgroups.kind === "v1" ? Object.values(cgroups.folders) : [];
}

/** Groups of this process that are there now. */
function groups(): string[] {
  return parents(host).flatMap((folder) =>
    readdirSync(folder).filter((name) => name.startsWith(`seawall-${process.pid}-`)),
  );
}

const run = (...words: string[]) => `
  const { spawnSync } = require("child_process");
  const done = spawnSync(${JSON.stringify(words[0])}, ${JSON.stringify(words.slice(1))}, { encoding: "utf8" });
  return [done.signal, done.stdout && JSON.parse(done.stdout).result];`;

test("a fork bomb ends at the limit, with and without control groups", { skip }, async (t) => {
  const attempt = buildAttempt(temporaryFolder(t));
  const mounts: Mount[] = [...BASE_MOUNTS, { kind: "read", from: attempt, to: "/attempt" }];
  assert.deepEqual((await outside(run(attempt, "forks", "300"))).value, [null, 300]);
  for (const each of HOSTS) {
    const limits: ResourceLimits = { processes: 60 };
    const changes = { mounts, execute: ["/attempt"], limits };
    const { value } = await inside(t, each, run("/attempt", "forks", "300"), changes);
    const [signal, made] = value as [string | null, number];
    assert.equal(signal, null);
    // Node's own threads count as well.
    assert.ok(made > 5 && made < 60, String(made));
    assert.deepEqual(
      (await inside(t, each, run("/attempt", "forks", "300"), { ...changes, limits: {} })).value,
      [null, 300],
    );
  }
  assert.deepEqual(groups(), []);
});

test("a memory hog ends at the limit", { skip }, async (t) => {
  const attempt = buildAttempt(temporaryFolder(t));
  const mounts: Mount[] = [...BASE_MOUNTS, { kind: "read", from: attempt, to: "/attempt" }];
  assert.deepEqual((await outside(run(attempt, "memory", "200"))).value, [null, 200]);
  for (const each of HOSTS) {
    const limits: ResourceLimits = { memory: 100 * MB };
    const hog = (megabytes: string, limited: ResourceLimits) =>
      start(t, each, {
        ...specFor("0", { mounts, limits: limited }),
        command: ["/attempt", "memory", megabytes],
      });
    const ended = hog("200", limits);
    const { code } = await ended.finished;
    // The kernel ends what has no room left in its group (137 as in a shell); by rlimit mmap(2) fails.
    const killed = code === 137 && ended.output() === "";
    const refused = code === 0 && (JSON.parse(ended.output()) as { result: number }).result < 100;
    assert.ok(killed || refused, `${code} ${ended.output()}`);
    assert.equal(each === bare ? refused : true, true);
    for (const [megabytes, limited] of [
      ["80", limits],
      ["200", {}],
    ] as const) {
      const fine = hog(megabytes, limited);
      assert.equal((await fine.finished).code, 0);
      assert.equal(fine.output().trim(), `{"result":${megabytes}}`);
    }
  }
  assert.deepEqual(groups(), []);
});

test(
  "many processes share one limit of memory where there are control groups",
  { skip: skip || (host.cgroups.kind === "none" ? "control groups are missing" : false) },
  async (t) => {
    const attempt = buildAttempt(temporaryFolder(t));
    const mounts: Mount[] = [...BASE_MOUNTS, { kind: "read", from: attempt, to: "/attempt" }];
    const body = `
      const { spawn } = require("child_process");
      const children = [1, 2, 3].map(() => spawn("/attempt", ["memory", "100"]));
      const all = await Promise.all(children.map((child) => new Promise((resolve) => {
        child.stdout.once("data", () => resolve(true));
        child.once("exit", () => resolve(false));
      })));
      for (const child of children) child.stdin.destroy();
      return all.filter(Boolean).length;`;
    const changes = { mounts, execute: ["/attempt"] };
    assert.equal((await inside(t, host, body, changes)).value, 3);
    // Each alone would have room, but they keep it: one at least is ended, or Node with them.
    const started = await inside(t, host, body.replaceAll("100", "250"), {
      ...changes,
      limits: { memory: 400 * MB },
    }).catch(() => ({ value: 0 }));
    assert.ok(Number(started.value) < 3, JSON.stringify(started));
  },
);

test("open files and the size of a file are limited", { skip }, async (t) => {
  const body = `
    const fs = require("fs"); const found = [];
    try { for (let i = 0; i < 500; i++) fs.openSync("/proc/self/status"); found.push("all"); }
    catch (error) { found.push(error.code); }
    return found;`;
  assert.deepEqual((await inside(t, host, body)).value, ["all"]);
  assert.deepEqual((await inside(t, host, body, { limits: { openFiles: 100 } })).value, ["EMFILE"]);
  const write = `
    process.on("SIGXFSZ", () => undefined);
    require("fs").writeFileSync("/tmp/file", Buffer.alloc(3 << 20)); return "written";`;
  assert.deepEqual((await inside(t, host, write)).value, "written");
  assert.deepEqual(await inside(t, host, write, { limits: { fileSize: MB } }), { error: "EFBIG" });
});

test("limits can't be raised from inside", { skip }, async (t) => {
  const attempt = buildAttempt(temporaryFolder(t));
  const mounts: Mount[] = [...BASE_MOUNTS, { kind: "read", from: attempt, to: "/attempt" }];
  const limits: ResourceLimits = { openFiles: 100, processes: 60, memory: 1500 * MB };
  const body = `
    const fs = require("fs");
    const limit = (name) => new RegExp(name + " +(\\\\d+) +(\\\\d+)").exec(fs.readFileSync("/proc/self/limits", "utf8"))?.slice(1);
    let group; try { fs.writeFileSync("/sys/fs/cgroup/cgroup.procs", "0"); group = "left"; } catch (error) { group = error.code; }
    return [limit("Max open files"), limit("Max processes"), group, fs.readFileSync("/proc/self/cgroup", "utf8").includes("seawall-")];`;
  const { value } = await inside(t, host, body, { mounts, limits });
  // The name of the group isn't seen either: its own is the root of what is seen.
  assert.deepEqual(value, [["100", "100"], ["60", "60"], "ENOENT", false]);
});

test("a group that can't be made refuses the start, and leaves nothing", { skip }, async () => {
  const cgroups: CgroupAccess = { kind: "v2", folder: "/nonexistent", controllers: ["memory"] };
  const wall = compileWall(specFor("0", { limits: { memory: 64 * MB } }), { ...host, cgroups });
  const walled = startWalled(wall, {
    launcher: LAUNCHER,
    ...SUBJECT,
    stdout: "pipe",
    stderr: "pipe",
    onMessage: () => undefined,
  });
  await assert.rejects(walled.inner(), /control group can't be made/u);
  await walled.exited;
});

test("a group is gone when its process was killed", { skip }, async (t) => {
  const started = start(
    t,
    host,
    specFor("setInterval(() => undefined, 1000)", { limits: { processes: 99 } }),
  );
  await started.process.inner();
  assert.equal(
    groups().length,
    host.cgroups.kind === "none" || host.cgroups.kind === "systemd" ? 0 : 1,
  );
  started.process.kill("SIGKILL");
  await started.finished;
  assert.deepEqual(groups(), []);
});

const COUNTED = { ownNamespaces: true, countsProcesses: true } as const;
const ALL: ResourceLimits = { memory: MB, processes: 5, openFiles: 6, fileSize: 7, cpu: 1.5 };

test("compileLimits() says which mechanism carries each limit", () => {
  const words = (access: CgroupAccess) => compileLimits(ALL, access, COUNTED).report;
  const v2 = { kind: "v2", folder: "/f", controllers: ["memory", "pids", "cpu"] } as const;
  assert.equal(words(v2)?.state, "enforced");
  assert.match(words(v2)?.detail ?? "", /memory by cgroup v2; processes by cgroup v2 and rlimit/u);
  assert.equal(words({ ...v2, controllers: ["memory"] })?.state, "partly");
  assert.equal(words(NONE)?.state, "partly");
  assert.match(words(NONE)?.detail ?? "", /memory by rlimit, of each process;.*time by nothing/u);
  assert.equal(compileLimits({}, NONE, COUNTED).report, undefined);
  assert.equal(compileLimits({ openFiles: 5 }, NONE, COUNTED).report?.state, "enforced");
});

test("compileLimits() gives each hierarchy its own words", () => {
  const v2 = { kind: "v2", folder: "/f", controllers: ["memory", "pids", "cpu"] } as const;
  assert.deepEqual(compileLimits(ALL, v2, COUNTED).group, {
    by: "files",
    folders: [
      {
        parent: "/f",
        values: [
          { file: "memory.max", text: "1048576" },
          { file: "memory.swap.max", text: "0" },
          { file: "pids.max", text: "5" },
          { file: "cpu.max", text: "150000 100000" },
        ],
      },
    ],
  });
  const v1 = { kind: "v1", folders: { memory: "/m", cpu: "/c" } } as const;
  assert.deepEqual(compileLimits(ALL, v1, COUNTED).group, {
    by: "files",
    folders: [
      { parent: "/m", values: [{ file: "memory.limit_in_bytes", text: "1048576" }] },
      {
        parent: "/c",
        values: [
          { file: "cpu.cfs_period_us", text: "100000" },
          { file: "cpu.cfs_quota_us", text: "150000" },
        ],
      },
    ],
  });
  const systemd = { kind: "systemd", program: "/usr/bin/systemd-run", user: true } as const;
  assert.deepEqual(compileLimits(ALL, systemd, COUNTED).group, {
    by: "systemd",
    command: [
      ..."/usr/bin/systemd-run --user --scope --quiet --collect".split(" "),
      ..."-p MemoryMax=1048576 -p MemorySwapMax=0 -p TasksMax=5 -p CPUQuota=150% --".split(" "),
    ],
  });
  assert.equal(compileLimits({ openFiles: 5 }, v2, COUNTED).group, undefined);
});

test(
  "the kernel doesn't count root's processes, and nobody says it does",
  { skip: skip || (ROOT ? false : "needs root") },
  async (t) => {
    const own = await probeHost({ launcher: LAUNCHER });
    assert.deepEqual([own.countsProcesses, host.countsProcesses], [false, true]);
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o755);
    const attempt = buildAttempt(folder);
    const mounts: Mount[] = [...BASE_MOUNTS, { kind: "read", from: attempt, to: "/attempt" }];
    const changes = { mounts, execute: ["/attempt"], limits: { processes: 60 } };
    const spec = specFor(program(run("/attempt", "forks", "300")), {
      ...changes,
      identity: { uid: 0, gid: 0 },
    });
    const wall = compileWall(spec, { ...own, cgroups: NONE });
    const report = wall.mechanisms.find(({ mechanism }) => mechanism === "limits");
    assert.equal(report?.state, "partly");
    assert.match(report?.detail ?? "", /processes by nothing/u);
    const walled = startWalled(wall, {
      stdout: "pipe",
      stderr: 2,
      launcher: LAUNCHER,
      onMessage: () => undefined,
    });
    let output = "";
    walled.stdout?.on("data", (data: Buffer) => (output += String(data)));
    await walled.exited;
    // Should a kernel begin to count them, the report may say more again.
    assert.deepEqual((JSON.parse(output) as { value: unknown }).value, [null, 300]);
    const { value } = await inside(t, bare, run("/attempt", "forks", "300"), changes);
    assert.ok((value as [unknown, number])[1] < 60, "control: another user's are counted");
    if (own.cgroups.kind === "none") return;
    const held = compileWall(spec, own).mechanisms.find(({ mechanism }) => mechanism === "limits");
    assert.deepEqual([held?.state, /rlimit/u.test(held?.detail ?? "")], ["enforced", false]);
  },
);

test("isFirstUser() follows the map of a container's users", () => {
  const host = [[0, 0, 0xffffffff]];
  const rootless = [
    [0, 1000, 1],
    [1, 100_000, 65_536],
  ];
  const shifted = [[0, 100_000, 65_536]];
  assert.deepEqual([isFirstUser(0, host), isFirstUser(1000, host)], [true, false]);
  assert.deepEqual([isFirstUser(0, rootless), isFirstUser(0, shifted)], [false, false]);
  assert.equal(isFirstUser(5, [[5, 0, 1]]), true);
});
