import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  BASE_MOUNTS,
  buildAttempt,
  inside,
  lacking,
  outside,
  probeSubject,
  specFor,
  start,
  temporaryFolder,
} from "./testing/harness.ts";

const host = await probeSubject();
const skip = lacking(host);
const read = (path: string) => `return require("fs").readFileSync(${JSON.stringify(path)}, "utf8")`;
const write = (path: string) => `require("fs").writeFileSync(${JSON.stringify(path)}, "x")`;

test(
  "a walled process can't read a file that isn't mounted, by whatever name",
  { skip },
  async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "secret");
    writeFileSync(file, "secret");
    chmodSync(file, 0o644);
    assert.deepEqual(await outside(read(file)), { value: "secret" });
    for (const path of [file, `/proc/self/root${file}`, `/proc/self/cwd${file}`])
      assert.deepEqual(await inside(t, host, read(path)), { error: "ENOENT" });
    // Of pid 1, bubblewrap's, not even the links can be followed.
    assert.deepEqual(await inside(t, host, read(`/proc/1/root${file}`)), { error: "EACCES" });
  },
);

test(
  "a walled process without Landlock still can't read what isn't mounted",
  { skip },
  async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "secret");
    writeFileSync(file, "secret");
    chmodSync(file, 0o644);
    const bare = { ...host, landlock: 0 };
    for (const path of [file, `/proc/self/root${file}`])
      assert.deepEqual(await inside(t, bare, read(path), { concessions: ["no-landlock"] }), {
        error: "ENOENT",
      });
    const { error } = await inside(t, bare, read(`/proc/1/root${file}`), {
      concessions: ["no-landlock"],
    });
    assert.ok(error === "EACCES" || error === "EPERM" || error === "ENOENT", error);
  },
);

test("a walled process reads what is mounted and writes only where it may", { skip }, async (t) => {
  const folder = temporaryFolder(t);
  for (const name of ["read", "write"]) {
    mkdirSync(join(folder, name));
    chmodSync(join(folder, name), 0o777);
  }
  writeFileSync(join(folder, "read/file"), "here");
  chmodSync(join(folder, "read/file"), 0o666);
  const mounts = [
    ...BASE_MOUNTS,
    { kind: "read", from: join(folder, "read"), to: "/in" },
    { kind: "write", from: join(folder, "write"), to: "/out" },
    { kind: "file", to: "/etc/motd", text: "given\n" },
  ] as const;
  assert.deepEqual(await outside(write(join(folder, "read/outside"))), {});
  assert.deepEqual(await inside(t, host, read("/in/file"), { mounts }), { value: "here" });
  assert.deepEqual(await inside(t, host, read("/etc/motd"), { mounts }), { value: "given\n" });
  assert.deepEqual(await inside(t, host, write("/out/new"), { mounts }), {});
  assert.deepEqual(await inside(t, host, write("/tmp/new"), { mounts }), {});
  const refused = ["/in/file", "/in/new", "/etc/motd", "/etc/new", "/usr/new", "/new", "/run/new"];
  for (const path of [...refused, "/dev/new", "/proc/self/oom_score_adj"]) {
    const { error } = await inside(t, host, write(path), { mounts });
    assert.ok(error === "EACCES" || error === "EROFS", `${path}: ${error}`);
  }
  // The second layer alone holds as well, where /proc has its own rules.
  for (const path of refused)
    assert.deepEqual(
      await inside(t, { ...host, landlock: 0 }, write(path), {
        mounts,
        concessions: ["no-landlock"],
      }),
      { error: "EROFS" },
    );
  assert.deepEqual(readdirSync(join(folder, "read")).toSorted(), ["file", "outside"]);
  assert.deepEqual(readdirSync(join(folder, "write")), ["new"]);
});

test(
  "a walled process can't truncate, rename, link or remove what it may only read",
  { skip },
  async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o777);
    writeFileSync(join(folder, "file"), "here");
    chmodSync(join(folder, "file"), 0o666);
    const mounts = [...BASE_MOUNTS, { kind: "read", from: folder, to: "/in" }] as const;
    for (const act of [
      `fs.truncateSync("/in/file")`,
      `fs.renameSync("/in/file", "/in/other")`,
      `fs.renameSync("/in/file", "/tmp/file")`,
      `fs.linkSync("/in/file", "/tmp/file")`,
      `fs.unlinkSync("/in/file")`,
      `fs.chmodSync("/in/file", 0o777)`,
      `fs.symlinkSync("/tmp", "/in/link")`,
    ]) {
      const { error } = await inside(t, host, `const fs = require("fs"); ${act}`, { mounts });
      assert.ok(["EACCES", "EROFS", "EXDEV"].includes(error ?? ""), `${act}: ${error}`);
    }
    const { value } = await outside(`const fs = require("fs"); fs.truncateSync("${folder}/file");
    return fs.readFileSync("${folder}/file", "utf8")`);
    assert.equal(value, "");
  },
);

const run = (...words: string[]) => `
  const { spawnSync } = require("child_process");
  const done = spawnSync(${JSON.stringify(words[0])}, ${JSON.stringify(words.slice(1))}, { encoding: "utf8" });
  if (done.error) throw done.error;
  return done.stdout.trim();`;

test("a walled process executes what was granted and nothing else", { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const attempt = buildAttempt(folder);
  const mounts = [...BASE_MOUNTS, { kind: "read", from: attempt, to: "/attempt" }] as const;
  const call = run("/attempt", "call", "39");
  assert.match(String((await outside(run(attempt, "call", "39"))).value), /^\{"result":\d+\}$/u);
  assert.match(
    String((await inside(t, host, call, { mounts, execute: ["/attempt"] })).value),
    /^\{"result":\d+\}$/u,
  );
  assert.deepEqual(await inside(t, host, call, { mounts }), { error: "EACCES" });
  assert.deepEqual(await inside(t, host, run("/usr/bin/true"), { mounts }), { error: "EACCES" });
  assert.deepEqual(await inside(t, host, run("/bin/sh", "-c", "true"), { mounts }), {
    error: "EACCES",
  });
  assert.deepEqual(await inside(t, host, run("/run/seawall/launch"), { mounts }), {
    error: "EACCES",
  });
});

const memfd = (path: string, flags: number) => run(path, "memfd", String(flags), path);

test("a walled process can't execute what it wrote, nor a memory file", { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const attempt = buildAttempt(folder);
  const mounts = [...BASE_MOUNTS, { kind: "read", from: attempt, to: "/attempt" }] as const;
  for (const place of ["/tmp/copy", "/dev/shm/copy"]) {
    const copy = `require("fs").copyFileSync("/attempt", "${place}"); require("fs").chmodSync("${place}", 0o755);
      ${run(place, "call", "39")}`;
    assert.deepEqual(await inside(t, host, copy, { mounts }), { error: "EACCES" });
  }
  const granted = { mounts, execute: ["/attempt"] };
  assert.match(String((await outside(memfd(attempt, 0))).value), /^\{"result":\d+\}$/u);
  assert.equal((await inside(t, host, memfd("/attempt", 0), granted)).value, refusal("ENOSYS"));
  // MFD_NOEXEC_SEAL: such a file may be made, and the kernel itself won't execute it.
  assert.equal((await inside(t, host, memfd("/attempt", 8), granted)).value, refusal("EACCES"));
});

function refusal(error: string): string {
  return JSON.stringify({ result: -1, error });
}

test(
  "a walled process inherits no descriptor, environment, core dumps or loose file modes",
  { skip },
  async (t) => {
    const body = `
    const fs = require("fs");
    // Before anything else is opened, Node's own are event queues and pipes.
    const kinds = fs.readdirSync("/proc/self/fd").map((fd) => {
      try { return fs.readlinkSync("/proc/self/fd/" + fd); } catch { return "gone"; }
    });
    fs.writeFileSync("/tmp/new", "");
    return {
      files: kinds.filter((kind) => kind.startsWith("/")).toSorted(),
      sockets: kinds.filter((kind) => kind.startsWith("socket:")).length,
      environment: process.env,
      limit: /Max core file size +(\\d+) +(\\d+)/.exec(fs.readFileSync("/proc/self/limits", "utf8")).slice(1),
      mode: (fs.statSync("/tmp/new").mode & 0o777).toString(8),
      who: [process.getuid(), process.getgid(), process.getgroups(), require("os").hostname()],
    };`;
    const changes = { network: { tcp: [443], udp: [53], bind: [18789], dial: 18789 } };
    const { value } = await inside(t, host, body, changes);
    const got = value as Record<string, unknown>;
    assert.deepEqual(got["environment"], { PATH: "/usr/bin", SHELL: "none" });
    assert.deepEqual(got["limit"], ["1", "1"]);
    assert.equal(got["mode"], "600");
    // Standard input, and the folder being listed; sockets: standard output and error.
    assert.deepEqual(
      got["files"],
      ["/dev/null", "/proc/2/fd"].filter((file) => (got["files"] as string[]).includes(file)),
    );
    assert.equal(got["sockets"], 2);
    const [uid, gid, , name] = got["who"] as [number, number, number[], string];
    assert.deepEqual([uid, gid, name], [1000, 1000, "walled"]);
  },
);

test(
  "startWalled() shows neither arguments nor environment to other users",
  { skip },
  async (t) => {
    const started = start(t, host, {
      ...specFor("setInterval(() => undefined, 1000)"),
      environment: { MARKER: "phantom-marker" },
    });
    await started.process.inner();
    const pid = started.process.pid ?? 0;
    const { value } = await outside(
      `return require("fs").readFileSync("/proc/${pid}/cmdline", "utf8").split("\\0")`,
    );
    assert.deepEqual((value as string[]).slice(1, 5), ["--args", "5", "--", "/run/seawall/launch"]);
    assert.ok(!JSON.stringify(value).includes("phantom"));
  },
);

test(
  "what a walled process may run is refused if it isn't there or is a folder",
  { skip },
  async (t) => {
    for (const path of ["/usr/bin", "/usr/bin/there-is-no-such-command"]) {
      const started = start(t, host, specFor("0", { execute: [path] }));
      const exit = await started.finished;
      assert.equal(exit.code, 126);
      assert.match(exit.refusal ?? "", new RegExp(`^(?:code|landlock): ${path}: `, "u"));
      await assert.rejects(started.process.inner(), { code: "start" });
    }
  },
);
