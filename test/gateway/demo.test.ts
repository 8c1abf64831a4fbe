import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { runDemo, type DemoReport } from "../../src/demo/index.ts";
import { runSeawall } from "../support/runSeawall.ts";
import { temporaryFolder } from "../support/temporaryFolder.ts";
import { testStore } from "../support/testStore.ts";
import { globSync } from "node:fs";

test("seawall demo --json: the bot answers, and nothing real is found in it", async (t) => {
  const before = globSync("seawall-demo-*", { cwd: tmpdir() });
  const { code, stdout, stderr } = await runSeawall(["demo", "--json"], {
    state: temporaryFolder(t),
    env: { SEAWALL_STORE: testStore() },
  });
  assert.equal(code, 0, stdout + stderr);
  const report = JSON.parse(stdout) as DemoReport;
  assert.equal(report.ok, true);
  assert.deepEqual(report.found, []);
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

test("the demo's search finds a real value that was planted in the bot's environment", async () => {
  const report = await runDemo({
    openclaw: "2026.9.6",
    store: testStore(),
    onProgress: () => undefined,
    beforeStart: (generation, values) => {
      const [bot] = Object.values(generation.bots);
      assert.ok(bot !== undefined && values[0] !== undefined);
      const environment = { ...bot.rendered.environment, PLANTED: values[0].value };
      return {
        ...generation,
        bots: { demo: { ...bot, rendered: { ...bot.rendered, environment } } },
      };
    },
  });
  assert.equal(report.ok, false);
  assert.ok(
    report.found.some(({ where }) => where.startsWith("environment of")),
    JSON.stringify(report.found),
  );
  assert.ok(report.found.some(({ where }) => where.startsWith("memory of")));
  assert.ok(report.found.every(({ name }) => name === "anthropic key"));
});
