import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import type { DemoReport } from "../../src/demo/index.ts";
import { runSeawall } from "../support/runSeawall.ts";
import { temporaryFolder } from "../support/temporaryFolder.ts";
import { testStore } from "../support/testStore.ts";

test("seawall demo --json: the bot answers, and the search that finds its phantom finds nothing real", async (t) => {
  const before = globSync("seawall-demo-*", { cwd: tmpdir() });
  const { code, stdout, stderr } = await runSeawall(["demo", "--json"], {
    state: temporaryFolder(t),
    env: { SEAWALL_STORE: testStore() },
  });
  assert.equal(code, 0, stdout + stderr);
  const report = JSON.parse(stdout) as DemoReport;
  assert.equal(report.ok, true);
  assert.deepEqual(report.found, []);
  // Its environment, its memory and those of its helpers.
  assert.ok(report.phantomIn >= 3, stdout);
  assert.match(report.reply, /seawall/);
  assert.equal(report.openclaw, "2026.9.6");
  assert.ok(report.searched.processes >= 3);
  assert.ok(report.searched.environments >= 3);
  assert.ok(report.searched.bytesOfMemory > 200e6);
  assert.ok(report.searched.files > 10_000);
  for (const [mechanism, state] of Object.entries(report.wall))
    assert.equal(state, "enforced", mechanism);
  assert.deepEqual(globSync("seawall-demo-*", { cwd: tmpdir() }), before);
});
