import assert from "node:assert/strict";
import { test } from "node:test";
import { readAnswer } from "./readAnswer.ts";

const report = { commits: ["ops: add a"], pulled: 0, pushed: true, held: [] };
const said = (result: unknown): string => JSON.stringify({ ok: true, result });

test("readAnswer() takes what a job gives, and nothing besides", () => {
  assert.deepEqual(readAnswer(said(report), "sync"), { ok: true, result: report });
  const more = { ...report, conflict: "seawall/ops-1", surplus: "x" };
  assert.deepEqual(readAnswer(said(more), "sync"), {
    ok: true,
    result: { ...report, conflict: "seawall/ops-1" },
  });
  const active = { active: { ops: 1_700_000_000_000.5 } };
  assert.deepEqual(readAnswer(said(active), "look"), { ok: true, result: active });
  const refused = { ok: false, code: "disk", message: "there is no room on the disk" };
  assert.deepEqual(readAnswer(JSON.stringify(refused), "sync"), refused);
});

test("readAnswer() takes what a program that was taken over may say for unfinished work", () => {
  const answers: readonly (readonly [string, "sync" | "look"])[] = [
    ["", "sync"],
    ["null", "sync"],
    [said(undefined), "sync"],
    [said(null), "sync"],
    [said({ active: {} }), "sync"],
    [said({ ...report, held: 7 }), "sync"],
    [said({ ...report, held: [{ path: { a: 1 }, why: "" }] }), "sync"],
    [said({ ...report, failed: ["x"] }), "sync"],
    [said({ ...report, failed: "x".repeat(5_000) }), "sync"],
    [said({ active: { ops: 1e300 } }), "look"],
    [said({ active: { ops: "now" } }), "look"],
    [JSON.stringify({ ok: false, code: "constructor", message: "" }), "sync"],
    [JSON.stringify({ ok: false, code: "disk", message: 7 }), "sync"],
  ];
  for (const [text, kind] of answers)
    assert.deepEqual(
      readAnswer(text, kind),
      { ok: false, code: "workspace", message: "the work on the agent ended before it was done" },
      text,
    );
});
