import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { SupervisorStatus } from "../src/host/index.ts";
import {
  assertFailed,
  assertNothingStarted,
  halfFiles,
  assertNothingRuns,
} from "./support/failures.ts";
import { runSeawall, type Ran } from "./support/runSeawall.ts";
import { declareNoBots } from "./support/simpleDeclaration.ts";
import { NO_SMALL_DISK, SmallDisk } from "./support/SmallDisk.ts";
import { testStore } from "./support/testStore.ts";

/** A disk that is full at each point where something is written (invariant 9). */

interface Place {
  readonly disk: SmallDisk;
  /** As the commands name it. */
  readonly state: string;
  /** Changes the declaration, so that it makes another generation. */
  readonly change: (name: string) => void;
  readonly run: (args: readonly string[], input?: string) => Promise<Ran>;
}

const FULL = /the disk is full|no space is left|the free space of its disk/;

async function smallDisk(t: TestContext, limits: string): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "seawall-disk-"));
  const state = join(folder, "state");
  mkdirSync(state);
  let file = declareNoBots(folder);
  const disk = await SmallDisk.mount(state, limits);
  const run = (args: readonly string[], input?: string): Promise<Ran> =>
    runSeawall(args[0] === "up" ? ["up", file, ...args.slice(1)] : args, {
      state,
      cwd: folder,
      env: { SEAWALL_STORE: testStore() },
      through: disk.through,
      ...(input === undefined ? {} : { input }),
    });
  t.after(async () => {
    disk.fill();
    await run(["down"]);
    await disk.unmount();
    rmSync(folder, { recursive: true, force: true });
  });
  const change = (name: string): void => {
    file = declareNoBots(folder, name);
  };
  return { disk, state, run, change };
}

async function statusOf({ run }: Place): Promise<SupervisorStatus> {
  return JSON.parse((await run(["status", "--json"])).stdout) as SupervisorStatus;
}

for (const [what, limit, first, step, most] of [
  // A little more after each failure, so that one write after the other is the first to fail.
  ["room", (n: number) => `size=${4 * n}k`, 1, 1, 30],
  ["names", (n: number) => `nr_inodes=${n}`, 3, 2, 60],
] as const) {
  test(
    `seawall up on a disk without ${what} fails whole at every point, and works after making room`,
    { skip: NO_SMALL_DISK },
    async (t) => {
      const place = await smallDisk(t, limit(first));
      const { disk, state, run } = place;
      let failures = 0;
      for (let size = first; ; size += step) {
        disk.resize(limit(size));
        const ran = await run(["up"]);
        if (ran.code === 0) break;
        assertFailed(ran, 5, FULL);
        await assertNothingStarted(state, disk);
        failures += 1;
        assert.ok(size < most, `still failing with ${limit(size)}: ${ran.stderr}`);
      }
      assert.ok(failures >= 5, `only ${failures} failures`);
      assert.equal((await run(["status"])).code, 0);
      assert.equal(readFileSync(join(disk.seen, "current"), "utf8"), "1\n");
    },
  );
}

test(
  "seawall up with a full disk leaves in force what ran before, and works after making room",
  { skip: NO_SMALL_DISK },
  async (t) => {
    const place = await smallDisk(t, "size=400k");
    const { disk, state, run, change } = place;
    const first = await run(["up"]);
    assert.equal(first.code, 0, first.stderr);
    const before = await statusOf(place);
    const reasons: string[] = [];
    for (let pages = 0; ; pages++) {
      change(`with-${pages}-pages.json5`);
      disk.fill(pages);
      const ran = await run(["up"]);
      if (ran.code === 0) break;
      assertFailed(ran, 5, FULL);
      reasons.push(ran.stderr);
      const later = await statusOf(place);
      assert.deepEqual(
        [later.pid, later.generation, later.broker.pid],
        [before.pid, 1, before.broker.pid],
      );
      assert.equal(readFileSync(join(disk.seen, "current"), "utf8"), "1\n");
      assert.deepEqual(halfFiles(disk.seen), []);
      assert.ok(pages < 10, ran.stderr);
    }
    assert.ok(reasons.length >= 2, reasons.join("\n"));
    assert.equal((await statusOf(place)).generation, 2);
    assert.equal((await run(["down"])).code, 0);
    await assertNothingRuns(state, disk.holder);
  },
);

test(
  "seawall secret set with a full disk keeps the vault as it was, and works after making room",
  { skip: NO_SMALL_DISK },
  async (t) => {
    const { disk, run } = await smallDisk(t, "size=200k");
    disk.fill(0);
    assertFailed(await run(["secret", "set", "one"], "first-value"), 5, FULL);
    disk.fill();
    assert.equal((await run(["secret", "set", "one"], "first-value")).code, 0);
    const vault = join(disk.seen, "vault", "vault.age");
    const before = readFileSync(vault);
    disk.fill(0);
    for (const args of [
      ["set", "two"],
      ["rm", "one"],
    ]) {
      assertFailed(await run(["secret", ...args], "second-value"), 5, FULL);
      assert.deepEqual(readFileSync(vault), before);
      assert.deepEqual(halfFiles(disk.seen), []);
    }
    assert.match((await run(["secret", "list"])).stdout, /^one +vault +\d{4}-/m);
    disk.fill();
    assert.equal((await run(["secret", "set", "two"], "second-value")).code, 0);
    assert.match((await run(["secret", "list"])).stdout, /^one .*\ntwo /m);
  },
);
