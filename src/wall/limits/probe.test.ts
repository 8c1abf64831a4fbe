import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { lacking, probeSubject, specFor, start, temporaryFolder } from "../testing/harness.ts";
import { probeCgroups, type CgroupPlaces } from "./probe.ts";

const host = await probeSubject();

/** As the kernel would show them, in a folder of the test's. */
function places(t: TestContext, texts: Partial<Record<"self" | "mounts", string>>): CgroupPlaces {
  const folder = temporaryFolder(t);
  for (const name of ["self", "mounts"] as const)
    writeFileSync(join(folder, name), texts[name] ?? "");
  return {
    self: join(folder, "self"),
    mounts: join(folder, "mounts"),
    systemd: join(folder, "systemd"),
  };
}

/** A program in systemd-run's place: it runs what comes after `--`, as `--scope` does, or refuses. */
function standIn(folder: string, works: boolean): string {
  const program = join(folder, "systemd-run");
  const body = works ? 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"' : "exit 1";
  writeFileSync(program, `#!/bin/sh\necho "$@" >> ${folder}/calls\n${body}\n`);
  writeFileSync(join(folder, "calls"), "");
  chmodSync(join(folder, "calls"), 0o666);
  chmodSync(program, 0o755);
  chmodSync(folder, 0o755);
  return program;
}

test("probeCgroups() leaves nothing behind and finds what can be used", async () => {
  const found = await probeCgroups(process.env["PATH"] ?? "");
  const folders =
    found.kind === "v2" ? [found.folder] : found.kind === "v1" ? Object.values(found.folders) : [];
  for (const folder of folders) {
    assert.ok(existsSync(join(folder, "cgroup.procs")), folder);
    const left = readdirSync(folder).filter((name) => name.startsWith(`seawall-${process.pid}-`));
    assert.deepEqual(left, []);
  }
});

test("probeCgroups() says why there is nothing: no file system, or none that takes groups", async (t) => {
  assert.deepEqual(await probeCgroups("", places(t, {})), {
    kind: "none",
    reason: "no cgroup file system is mounted",
  });
  const hierarchy = temporaryFolder(t);
  mkdirSync(join(hierarchy, "user.slice"));
  const mounts = `30 25 0:26 / ${hierarchy} rw,nosuid - cgroup2 cgroup2 rw\n`;
  // A group of ours would get no controllers there.
  const found = await probeCgroups("", places(t, { self: "0::/user.slice\n", mounts }));
  assert.equal(found.kind, "none");
  assert.deepEqual(readdirSync(join(hierarchy, "user.slice")), []);
  // What lies outside of what the mount shows can't be used at all.
  const elsewhere = mounts.replace("0:26 / ", "0:26 /other ");
  assert.equal(
    (await probeCgroups("", places(t, { self: "0::/user.slice\n", mounts: elsewhere }))).kind,
    "none",
  );
});

test("probeCgroups() takes systemd where it is the first process and makes scopes", async (t) => {
  const folder = temporaryFolder(t);
  const program = standIn(folder, true);
  const here = places(t, {});
  assert.equal((await probeCgroups(folder, here)).kind, "none");
  mkdirSync(here.systemd);
  const user = process.getuid?.() !== 0;
  assert.deepEqual(await probeCgroups(folder, here), { kind: "systemd", program, user });
  standIn(folder, false);
  assert.equal((await probeCgroups(folder, here)).kind, "none");
});

test(
  "a walled process starts through systemd-run with its limits as properties",
  { skip: lacking(host) },
  async (t) => {
    const folder = temporaryFolder(t);
    const program = standIn(folder, true);
    const cgroups = { kind: "systemd", program, user: false } as const;
    const limits = { memory: 1 << 30, processes: 99, cpu: 0.5 };
    const started = start(t, { ...host, cgroups }, specFor("console.log('inside')", { limits }));
    assert.equal((await started.finished).code, 0);
    assert.equal(started.output(), "inside\n");
    assert.match(
      readFileSync(join(folder, "calls"), "utf8"),
      /^--scope --quiet --collect -p MemoryMax=1073741824 -p MemorySwapMax=0 -p TasksMax=99 -p CPUQuota=50% -- \S*bwrap --args 5 --/u,
    );
  },
);
