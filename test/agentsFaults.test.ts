import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { NO_SMALL_DISK, SmallDisk } from "./support/SmallDisk.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";

interface Tried {
  readonly pages: number;
  readonly first: string;
  readonly left: Readonly<Record<string, unknown>>;
  readonly again: string;
  readonly sync: string;
  readonly report: { readonly failed?: string; readonly pushed?: boolean };
  readonly later: string;
  readonly pushed: number;
  readonly gone: string;
  readonly end: object;
}

test(
  "agent new and agent sync on a full disk say so, leave nothing half and are mended by another run",
  { skip: NO_SMALL_DISK },
  async (t) => {
    const mountPoint = join(temporaryFolder(t), "disk");
    mkdirSync(mountPoint);
    const disk = await SmallDisk.mount(mountPoint, "size=16m");
    t.after(() => disk.unmount());
    const program = new URL("./support/agentsOnSmallDisk.ts", import.meta.url).pathname;
    const [command = "", ...args] = disk.through([process.execPath, program, mountPoint], {});
    const ran = spawnSync(command, args, {
      encoding: "utf8",
      env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: "0", NODE_NO_WARNINGS: "1" },
    });
    assert.equal(ran.status, 0, ran.stderr);
    const tries = ran.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Tried);
    const failed = tries.filter(({ first }) => first !== "done");
    assert.ok(failed.length > 2 && failed.length < tries.length);
    assert.ok(tries.some(({ sync, report }) => sync === "disk" || report.failed !== undefined));
    for (const tried of tries) {
      const said = JSON.stringify(tried);
      const { first, left, again, later, gone, end, pushed } = tried;
      assert.match(first, /^(?:done|disk|undo-failed)$/u, said);
      // The gateway isn't told of what isn't there, and what couldn't be undone is known.
      if (first !== "done") assert.deepEqual([left["agents"], left["live"]], [0, false], said);
      if (first === "undo-failed") assert.equal(left["journal"], true, said);
      if (first === "disk") {
        const nothing = { ...left, agents: 0, live: false, journal: false, workspace: false };
        assert.deepEqual(left, { ...nothing, repositories: 0, channels: 0 }, said);
      }
      assert.deepEqual([again, later, gone], ["done", "done", "done"], said);
      assert.equal(pushed, 2_000 * "remembered\n".length - 1, said);
      assert.deepEqual(end, { repositories: 0, journals: 0 }, said);
    }
  },
);
