import assert from "node:assert/strict";
import { test } from "node:test";
import { compileWall } from "./compileWall.ts";
import type { HostCapabilities } from "./HostCapabilities.ts";
import { compileLandlock } from "./landlock/compile.ts";
import type { Rule } from "./landlock/compile.ts";
import { FS, knownRights } from "./landlock/rights.ts";
import { compileBubblewrap } from "./namespaces/arguments.ts";
import { WallError } from "./WallError.ts";
import type { Mount, WallSpec } from "./WallSpec.ts";

const HOST: HostCapabilities = {
  architecture: "x86_64",
  kernel: "6.12.0",
  bubblewrap: { path: "/usr/bin/bwrap", version: "0.8.0", recent: true },
  namespaces: { ok: true },
  landlock: 6,
  seccomp: true,
  ipv6: true,
  noexec: true,
  cgroups: { kind: "none", reason: "no cgroup file system is mounted" },
  countsProcesses: true,
  loaders: ["/lib64/ld-linux-x86-64.so.2"],
  mechanisms: [],
};

const MOUNTS: readonly Mount[] = [
  { kind: "read", from: "/usr", to: "/usr" },
  { kind: "link", to: "/lib64", target: "usr/lib64" },
  { kind: "proc", to: "/proc" },
  { kind: "devices", to: "/dev" },
  { kind: "memory", to: "/tmp", size: 1 << 20 },
  { kind: "write", from: "/var/lib/bot", to: "/state" },
  { kind: "file", to: "/etc/resolv.conf", text: "nameserver 127.0.0.1\n" },
];

function spec(changes: Partial<WallSpec> = {}): WallSpec {
  return {
    command: ["/usr/bin/node", "main.js"],
    cwd: "/state",
    environment: { B: "2", A: "1" },
    identity: { uid: 1000, gid: 1000 },
    hostname: "bot",
    mounts: MOUNTS,
    network: { tcp: [443], udp: [53], bind: [18789], dial: 18789 },
    execute: ["/usr/bin/ls"],
    libraries: ["/usr/lib"],
    protect: [],
    limits: {},
    processes: "any",
    namespaces: "own",
    concessions: [],
    ...changes,
  };
}

const hostMode = {
  namespaces: "host",
  processes: "one",
  mounts: [{ kind: "read", from: "/usr", to: "/usr" }],
  network: { tcp: [], udp: [], bind: [] },
} as const;

test("compileWall() gives the same bytes whatever the order of keys", () => {
  const one = compileWall(spec(), HOST);
  const other = compileWall(spec({ environment: { A: "1", B: "2" } }), HOST);
  assert.deepEqual(other, one);
});

test("compileWall() keeps arguments and environment out of bubblewrap's arguments", () => {
  const wall = compileWall(spec({ environment: { KEY: "phantom-value" } }), HOST);
  assert.ok(!JSON.stringify(wall.bwrap).includes("phantom-value"));
  assert.ok(Buffer.from(wall.policy).includes("KEY=phantom-value"));
});

test("compileWall() refuses what this host can't enforce, with exit status 4", () => {
  const lacking: readonly (readonly [Partial<HostCapabilities>, string])[] = [
    [{ architecture: undefined }, "architecture"],
    [{ seccomp: false }, "seccomp"],
    [{ landlock: 0 }, "landlock"],
    [{ bubblewrap: undefined }, "bubblewrap-missing"],
    [{ bubblewrap: { path: "/b", version: "0.6.1", recent: false } }, "bubblewrap-old"],
    [{ namespaces: { ok: false, reason: "forbidden" } }, "user-namespaces"],
  ];
  for (const [changes, code] of lacking) {
    const host = { ...HOST, ...changes } as HostCapabilities;
    assert.throws(() => compileWall(spec(), host), { name: "WallError", code, exitCode: 4 });
  }
});

test("compileWall() in the host's namespaces needs neither bubblewrap nor user namespaces", () => {
  const host = { ...HOST, bubblewrap: undefined, namespaces: { ok: false, reason: "no" } } as const;
  const wall = compileWall(spec(hostMode), host);
  assert.equal(wall.bwrap, undefined);
  assert.ok(!wall.mechanisms.some(({ mechanism }) => mechanism === "namespaces"));
});

const words = (abi: number, changes: Partial<WallSpec> = {}) =>
  compileWall(spec(changes), { ...HOST, landlock: abi }).mechanisms.find(
    ({ mechanism }) => mechanism === "landlock",
  );

test("compileWall() reports each right that an older Landlock lacks, and what holds instead", () => {
  assert.equal(words(6)?.state, "enforced");
  assert.equal(words(7)?.state, "enforced");
  for (let abi = 1; abi < 6; abi++)
    for (const changes of [{}, hostMode]) {
      const report = words(abi, changes);
      assert.equal(report?.state, "partly");
      assert.match(report.detail, /signals/u);
      assert.equal(/truncation/u.test(report.detail), abi < 3);
      assert.equal(/TCP ports/u.test(report.detail), abi < 4);
      assert.ok(report.remedy);
    }
  assert.equal(words(0, { concessions: ["no-landlock"] })?.state, "missing");
  // A concession takes nothing away that is there.
  assert.equal(words(6, { concessions: ["no-landlock"] })?.state, "enforced");
});

test("compileWall() refuses a specification that contradicts itself", () => {
  const write: Mount = { kind: "write", from: "/var/lib/bot", to: "/state" };
  const bad: readonly (readonly [string, Partial<WallSpec>])[] = [
    ["relative command", { command: ["node"] }],
    ["unclean path", { cwd: "/state/../etc" }],
    ["trailing slash", { cwd: "/state/" }],
    ["NUL in an argument", { command: ["/usr/bin/node", "a\0b"] }],
    ["NUL in the environment", { environment: { A: "\0" } }],
    ["name with =", { environment: { "A=B": "" } }],
    ["empty host name", { hostname: "" }],
    ["host name as an option", { hostname: "--bind" }],
    ["port 0", { network: { tcp: [0], udp: [], bind: [] } }],
    ["port twice", { network: { tcp: [443, 443], udp: [], bind: [] } }],
    ["port of both", { network: { tcp: [443], udp: [], bind: [443] } }],
    ["uid out of range", { identity: { uid: 2 ** 32 - 1, gid: 0 } }],
    ["no /proc", { mounts: [{ kind: "read", from: "/usr", to: "/usr" }] }],
    ["the root", { mounts: [...MOUNTS, { kind: "read", from: "/", to: "/" }] }],
    ["over the launcher", { mounts: [...MOUNTS, { kind: "memory", to: "/run", size: 4096 }] }],
    ["the same place twice", { mounts: [...MOUNTS, { kind: "memory", to: "/tmp", size: 4096 }] }],
    ["hiding an earlier one", { mounts: [...MOUNTS, { kind: "read", from: "/srv", to: "/etc" }] }],
    [
      "onto what is writable",
      { mounts: [...MOUNTS, { kind: "file", to: "/state/openclaw.json", text: "{}" }] },
    ],
    [
      "from what is writable",
      { mounts: [...MOUNTS, { kind: "read", from: "/var/lib/bot/config", to: "/config" }] },
    ],
    [
      "from what is writable, named first",
      { mounts: [{ kind: "read", from: "/var/lib/bot/config", to: "/config" }, ...MOUNTS] },
    ],
    ["executing what is writable", { execute: ["/state/tool"] }],
    ["a command that is writable", { command: ["/tmp/tool"] }],
    ["no memory", { mounts: [...MOUNTS, { kind: "memory", to: "/m", size: 0 }] }],
    ["host: a listener", { ...hostMode, network: { tcp: [443], udp: [], bind: [] } }],
    ["host: the dialer", { ...hostMode, network: { tcp: [], udp: [], bind: [], dial: 1 } }],
    ["host: moving a file", { ...hostMode, mounts: [{ kind: "read", from: "/a", to: "/b" }] }],
    ["host: memory", { ...hostMode, mounts: [{ kind: "memory", to: "/m", size: 4096 }] }],
    ["host: executing what is writable", { ...hostMode, mounts: [write], execute: ["/state/x"] }],
  ];
  for (const [name, changes] of bad)
    assert.throws(
      () => compileWall(spec(changes), HOST),
      (error) => error instanceof WallError && error.code === "spec" && error.exitCode === 70,
      name,
    );
});

test("compileLandlock() handles every right its ABI knows, and gives none it doesn't", () => {
  for (let abi = 1; abi <= 8; abi++) {
    const ruleset = compileLandlock(spec(), abi, HOST.loaders);
    assert.ok(ruleset);
    const known = knownRights(abi);
    assert.deepEqual(
      [ruleset.fs, ruleset.net, ruleset.scoped],
      [known.fs, known.net, known.scoped],
    );
    for (const rule of ruleset.rules)
      if (rule.kind === "path") assert.equal((rule.directory | rule.file) & ~known.fs, 0n);
      else assert.ok(abi >= 4);
  }
});

test("compileLandlock() lets only the command, what is granted and the loader be executed", () => {
  const ruleset = compileLandlock(spec(), 6, HOST.loaders);
  const executable = (ruleset?.rules ?? []).filter(
    (rule): rule is Extract<Rule, { kind: "path" }> =>
      rule.kind === "path" && ((rule.file | rule.directory) & FS.execute) !== 0n,
  );
  assert.deepEqual(
    executable.map(({ path, directory }) => [path, directory]),
    [
      ["/usr/bin/node", 0n],
      ["/usr/bin/ls", 0n],
      ["/lib64/ld-linux-x86-64.so.2", 0n],
    ],
  );
});

test("compileLandlock() lets nobody make device files", () => {
  for (const rule of compileLandlock(spec(), 6, [])?.rules ?? [])
    if (rule.kind === "path")
      assert.equal(rule.directory & (FS.makeCharacter | FS.makeBlock), 0n, rule.path);
});

test("compileBubblewrap() mounts in order and names its files by descriptor", () => {
  const { arguments: args, files } = compileBubblewrap(spec(), 6);
  const text = args.join(" ");
  assert.match(text, /--unshare-user --unshare-ipc --unshare-pid --unshare-net/u);
  assert.doesNotMatch(text, /-try/u);
  assert.match(
    text,
    /--ro-bind \/usr \/usr --symlink usr\/lib64 \/lib64 --proc \/proc --dev \/dev .*--perms 1777 --size 1048576 --tmpfs \/tmp --bind \/var\/lib\/bot \/state --perms 0444 --ro-bind-data 6 \/etc\/resolv\.conf$/u,
  );
  assert.deepEqual(files, ["nameserver 127.0.0.1\n"]);
});
