import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compileWall } from "./compileWall.ts";
import { programFiles } from "./probe/programFiles.ts";
import {
  BASE_MOUNTS,
  buildAttempt,
  inside,
  lacking,
  outside,
  probeSubject,
  start,
  specFor,
  temporaryFolder,
} from "./testing/harness.ts";
import { NODE } from "./testing/reachable.ts";
import type { Mount, WallSpec } from "./WallSpec.ts";

const host = await probeSubject();
const skip = lacking(host);
const loader = host.loaders[0] ?? "";

const run = (...words: string[]) => `
  const { spawnSync } = require("child_process");
  const done = spawnSync(${JSON.stringify(words[0])}, ${JSON.stringify(words.slice(1))}, { encoding: "utf8", input: "" });
  if (done.error) throw done.error;
  return [done.status, done.stdout.trim(), done.stderr.trim()];`;

type Ran = readonly [number | null, string, string];

test(
  "a program that may only be read can't be run through the dynamic loader",
  { skip },
  async (t) => {
    const through = (program: string) => run(loader, program, "-c", "echo it ran");
    const [, output] = (await outside(through("/usr/bin/sh"))).value as Ran;
    assert.equal(output, "it ran");
    for (const program of ["/usr/bin/sh", "/bin/sh", "/proc/self/root/usr/bin/sh"]) {
      const [status, walled, why] = (await inside(t, host, through(program))).value as Ran;
      assert.equal(walled, "", program);
      assert.notEqual(status, 0, program);
      assert.match(why, /Operation not permitted|failed to map/u, program);
    }
    // The control: the same wall, in which it may be mapped.
    const changes = { libraries: ["/usr/lib", "/usr/bin/dash"].filter((path) => existsSync(path)) };
    if (existsSync("/usr/bin/dash")) {
      const [, granted] = (await inside(t, host, through("/usr/bin/dash"), changes)).value as Ran;
      assert.equal(granted, "it ran");
    }
  },
);

test("what a bot wrote can neither be loaded nor run through the loader", { skip }, async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "home"), { mode: 0o777 });
  const mounts: Mount[] = [...BASE_MOUNTS, { kind: "write", from: folder, to: "/home/bot" }];
  for (const place of ["/tmp", "/dev/shm", "/home/bot"]) {
    const copied = `require("fs").copyFileSync(require("fs").realpathSync("/usr/bin/sh"), "${place}/sh");
      require("fs").chmodSync("${place}/sh", 0o755);`;
    const [status, output] = (
      await inside(t, host, copied + run(loader, `${place}/sh`, "-c", "echo it ran"), { mounts })
    ).value as Ran;
    assert.equal(output, "", place);
    assert.notEqual(status, 0, place);
    const direct = await inside(t, host, copied + run(`${place}/sh`, "-c", "echo it ran"), {
      mounts,
    });
    assert.deepEqual(direct, { error: "EACCES" }, place);
  }
});

test("a preloaded or audited library of the bot's own is not loaded", { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const source = join(folder, "evil.c");
  const library = join(folder, "evil.so");
  writeFileSync(
    source,
    `#include <unistd.h>\n__attribute__((constructor)) static void go(void) { write(1, "loaded\\n", 7); }\n`,
  );
  execFileSync("cc", ["-shared", "-fPIC", "-o", library, source]);
  const mounts: Mount[] = [...BASE_MOUNTS, { kind: "read", from: library, to: "/evil.so" }];
  const changes = { mounts, execute: ["/usr/bin/true"] };
  const body = (path: string) => `
    const { spawnSync } = require("child_process");
    return spawnSync("/usr/bin/true", [], { encoding: "utf8", env: { LD_PRELOAD: "${path}" } }).stdout;`;
  assert.equal((await outside(body(library))).value, "loaded\n");
  assert.equal((await inside(t, host, body("/evil.so"), changes)).value, "");
  const granted = { ...changes, libraries: ["/usr/lib", "/evil.so"] };
  assert.equal((await inside(t, host, body("/evil.so"), granted)).value, "loaded\n");
  const dlopen = `process.dlopen({ exports: {} }, "/evil.so"); return "loaded"`;
  assert.deepEqual(await inside(t, host, dlopen, changes), { error: "ERR_DLOPEN_FAILED" });
});

test(
  "data can't be made code afterwards: mprotect() of a mapped file is refused",
  { skip },
  async (t) => {
    const folder = temporaryFolder(t);
    const attempt = buildAttempt(folder);
    const mounts: Mount[] = [...BASE_MOUNTS, { kind: "read", from: attempt, to: "/attempt" }];
    const map = (path: string, file: string) => run(path, "map", file);
    assert.deepEqual((await outside(map(attempt, attempt))).value, [
      0,
      '{"result":0}\n{"result":0}',
      "",
    ]);
    const changes = { mounts, execute: ["/attempt"] };
    const [, refused] = (await inside(t, host, map("/attempt", "/usr/bin/true"), changes))
      .value as Ran;
    assert.deepEqual(refused.split("\n"), [
      '{"result":-1,"error":"EPERM"}',
      '{"result":-1,"error":"EACCES"}',
    ]);
    const [, own] = (await inside(t, host, map("/attempt", "/attempt"), changes)).value as Ran;
    assert.deepEqual(own.split("\n"), ['{"result":0}', '{"result":0}']);
  },
);

test(
  "nothing that isn't mounted for a program is there when files are bound one by one",
  { skip },
  async (t) => {
    const shell = realpathSync("/bin/sh");
    const files = programFiles([NODE, shell]);
    const mounts: Mount[] = [
      ...files.mounts,
      { kind: "read", from: NODE, to: "/opt/node" },
      { kind: "read", from: shell, to: "/usr/bin/sh" },
      { kind: "proc", to: "/proc" },
      { kind: "devices", to: "/dev" },
    ];
    const changes = { mounts, execute: ["/usr/bin/sh"], libraries: files.libraries };
    const body = `
    const fs = require("fs");
    return ["/usr/bin/sh", "/usr/bin/ls", "/usr/lib/git-core", "/usr/share"].filter(fs.existsSync);`;
    const { value } = await inside(t, host, body, changes);
    assert.deepEqual(value, ["/usr/bin/sh"]);
    const [, said] = (await inside(t, host, run("/usr/bin/sh", "-c", "echo shell"), changes))
      .value as Ran;
    assert.equal(said, "shell");
  },
);

const PYTHON = ["/usr/bin/python3", "/usr/local/bin/python3"].find((path) => existsSync(path));
const GIT = ["/usr/bin/git"].find((path) => existsSync(path));

/** A wall with these programs of the host, bound file by file as the host does it for a bot. */
function withPrograms(programs: Readonly<Record<string, string>>, more: readonly Mount[] = []) {
  const real = Object.entries(programs).map(([name, path]) => [name, realpathSync(path)] as const);
  const files = programFiles([NODE, ...real.map(([, path]) => path)]);
  return {
    mounts: [
      ...files.mounts,
      { kind: "read", from: NODE, to: "/opt/node" },
      ...real.map(([name, from]): Mount => ({ kind: "read", from, to: `/usr/bin/${name}` })),
      { kind: "proc", to: "/proc" },
      { kind: "devices", to: "/dev" },
      { kind: "memory", to: "/tmp", size: 64 << 20 },
      ...more,
    ],
    execute: [...real.map(([name]) => `/usr/bin/${name}`), ...files.execute],
    libraries: files.libraries,
  } satisfies Partial<WallSpec>;
}

test(
  "python3 works, its native modules too, and can't load what the bot wrote",
  { skip: skip || (PYTHON === undefined ? "python3 is missing" : false) },
  async (t) => {
    const changes = withPrograms({ python3: PYTHON ?? "" });
    const code =
      "import ssl, sqlite3, ctypes, hashlib, json, threading, subprocess; print(sqlite3.connect(':memory:').execute('select 40+2').fetchone()[0], ssl.OPENSSL_VERSION[:7])";
    const [status, output, why] = (
      await inside(t, host, run("/usr/bin/python3", "-c", code), changes)
    ).value as Ran;
    assert.equal(status, 0, why);
    assert.match(output, /^42 OpenSSL/u);
    const load =
      "import ctypes, shutil; shutil.copy(next(line.split()[-1] for line in open('/proc/self/maps') if 'libm.so' in line), '/tmp/mine.so'); ctypes.CDLL('/tmp/mine.so'); print('loaded')";
    const [, loaded, refused] = (
      await inside(t, host, run("/usr/bin/python3", "-c", load), changes)
    ).value as Ran;
    assert.equal(loaded, "");
    assert.match(refused, /failed to map segment|Operation not permitted/u);
  },
);

test(
  "git and bash work behind protected hooks, and a hook can't be made",
  { skip: skip || (GIT === undefined ? "git is missing" : false) },
  async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, "work"));
    const work = join(folder, "work");
    const settings = {
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_SYSTEM: "/dev/null",
      HOME: "/tmp",
    };
    execFileSync("git", ["init", "-q", work], { env: { ...process.env, ...settings } });
    execFileSync("chmod", ["-R", "a+rwX", work]);
    if (process.getuid?.() === 0) execFileSync("chown", ["-R", "1879050000:1879050000", work]);
    const changes = {
      ...withPrograms({ git: GIT ?? "", bash: "/bin/bash" }, [
        { kind: "write", from: work, to: "/tree" },
      ]),
      cwd: "/tree",
      environment: { PATH: "/usr/bin", ...settings },
      protect: [
        { path: "/tree/.git/hooks", access: "read-only" },
        { path: "/tree/.git/config", access: "read-only" },
      ] as const,
    };
    const identity = "-c user.name=a -c user.email=a@example.com";
    const script = `set -e; echo text > file; git add file; git ${identity} commit -qm first; git checkout -q -b other; git ${identity} commit -q --allow-empty -m second; git gc -q; git log --oneline | while read -r line; do echo commit; done`;
    const [status, output, why] = (
      await inside(t, host, run("/usr/bin/bash", "-c", script), changes)
    ).value as Ran;
    assert.deepEqual([status, output], [0, "commit\ncommit"], why);
    const hook = "git config core.hooksPath /tmp || echo > .git/hooks/pre-commit";
    const [failed] = (await inside(t, host, run("/usr/bin/bash", "-c", hook), changes))
      .value as Ran;
    assert.notEqual(failed, 0);
    assert.ok(!readdirSync(join(work, ".git/hooks")).includes("pre-commit"));
  },
);

test("an interpreter or a name that wasn't granted can't be executed", { skip }, async (t) => {
  const script = `require("fs").writeFileSync("/tmp/script", "#!/usr/bin/env sh\\necho ran", { mode: 0o755 });`;
  for (const [name, body] of [
    ["a script of its own", script + run("/tmp/script")],
    ["an interpreter", run("/usr/bin/perl", "-e", "print 1")],
    [
      "a link to it",
      `require("fs").symlinkSync("/usr/bin/sh", "/tmp/node");` + run("/tmp/node", "-c", "echo ran"),
    ],
    [
      "by descriptor",
      `const fd = require("fs").openSync("/usr/bin/sh"); ` +
        run("/proc/self/fd/3", "-c", "echo ran"),
    ],
  ] as const) {
    const { value, error } = await inside(t, host, body);
    assert.ok(error !== undefined || !(value as Ran)[1].includes("ran"), name);
    assert.match(error ?? "EACCES", /^(?:EACCES|ENOENT)$/u, name);
  }
});

test("what may be code must be there, and is refused by name if not", { skip }, async (t) => {
  const started = start(t, host, specFor("0", { libraries: ["/usr/lib/no-such-library.so"] }));
  const exit = await started.finished;
  assert.equal(exit.code, 126);
  assert.match(exit.refusal ?? "", /^code: \/usr\/lib\/no-such-library\.so: /u);
});

test("compileWall() refuses where mounts can't be made noexec, but for the concession", () => {
  const old = { ...host, noexec: false };
  assert.throws(() => compileWall(specFor("0"), old), { code: "landlock", exitCode: 4 });
  const conceded = compileWall(specFor("0", { concessions: ["no-landlock"] }), old);
  const report = conceded.mechanisms.find(({ mechanism }) => mechanism === "execution");
  assert.equal(report?.state, "partly");
});

test("compileWall() says so where what is written can be loaded as code", () => {
  const report = (libraries: readonly string[]) =>
    compileWall(specFor("0", { libraries }), host).mechanisms.find(
      ({ mechanism }) => mechanism === "execution",
    );
  assert.equal(report(["/usr/lib"])?.state, "enforced");
  for (const path of ["/tmp", "/tmp/native.node"]) {
    assert.equal(report([path])?.state, "partly");
    assert.match(report([path])?.detail ?? "", new RegExp(path, "u"));
  }
});
