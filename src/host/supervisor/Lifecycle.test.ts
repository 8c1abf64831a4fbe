import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Lifecycle } from "./Lifecycle.ts";

function make(t: TestContext, start?: () => Promise<void>) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const notes: string[] = [];
  let starts = 0;
  const lifecycle = new Lifecycle(
    async () => {
      starts += 1;
      await start?.();
    },
    (text) => notes.push(text),
  );
  return { lifecycle, notes, starts: () => starts };
}

test("Lifecycle starts again after an end, with growing pauses", async (t) => {
  const { lifecycle, starts } = make(t);
  await lifecycle.start();
  for (const seconds of [1, 2, 4]) {
    lifecycle.ended({ code: 1, signal: null });
    assert.equal(lifecycle.state, "waiting");
    t.mock.timers.tick(seconds * 1000 - 1);
    assert.equal(lifecycle.state, "waiting");
    t.mock.timers.tick(1);
    assert.equal(lifecycle.state, "starting");
  }
  assert.equal(starts(), 4);
  assert.equal(lifecycle.status(undefined).restarts, 3);
  assert.equal(lifecycle.status(undefined).lastEnd, "exit code 1");
});

test("Lifecycle doesn't start again what was stopped", async (t) => {
  const { lifecycle, starts } = make(t);
  await lifecycle.start();
  lifecycle.answers(true);
  lifecycle.stop();
  lifecycle.ended({ code: null, signal: "SIGTERM" });
  t.mock.timers.tick(120_000);
  assert.equal(lifecycle.state, "stopped");
  assert.equal(starts(), 1);
});

test("Lifecycle stopped during a pause stays stopped", async (t) => {
  const { lifecycle, starts } = make(t);
  await lifecycle.start();
  lifecycle.ended({ code: 1, signal: null });
  lifecycle.stop();
  t.mock.timers.tick(120_000);
  assert.equal(starts(), 1);
});

test("Lifecycle.becomesReady() tells an answer from an end", async (t) => {
  const { lifecycle } = make(t);
  await lifecycle.start();
  const ready = lifecycle.becomesReady(1_000);
  lifecycle.answers(true);
  assert.equal(await ready, true);
  lifecycle.ended({ code: 0, signal: null });
  assert.equal(await lifecycle.becomesReady(1_000), false);
});

test("Lifecycle counts a start that throws as an end", async (t) => {
  const { lifecycle, notes } = make(t, () => Promise.reject(new Error("no bubblewrap")));
  await lifecycle.start();
  assert.equal(lifecycle.state, "waiting");
  assert.match(notes.join("\n"), /could not start: no bubblewrap/);
});
