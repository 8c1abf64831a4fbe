import assert from "node:assert/strict";
import { test } from "node:test";
import { backOff } from "./backOff.ts";

test("backOff() doubles from one second and stops at a minute", () => {
  const delays: number[] = [];
  let failures = 0;
  for (let i = 0; i < 9; i++) {
    const next = backOff(failures, 10);
    delays.push(next.delayMs / 1000);
    failures = next.failures;
  }
  assert.deepEqual(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

test("backOff() starts over after a process that ran for two minutes", () => {
  assert.deepEqual(backOff(7, 120_000), { failures: 1, delayMs: 1000 });
});
