import { equal } from "node:assert/strict";
import { test } from "node:test";
import { satisfiesNodeRange } from "./nodeRange.ts";

test("satisfiesNodeRange() reads OpenClaw's range at its edges", () => {
  const range = ">=24.16.0 <25 || >=26.1.0";
  const expected: Record<string, boolean> = {
    "20.19.0": false,
    "24.15.9": false,
    "24.16.0": true,
    "v24.21.0": true,
    "25.0.0": false,
    "26.0.9": false,
    "26.1.0": true,
    "30.0.0": true,
  };
  for (const [version, satisfied] of Object.entries(expected)) {
    equal(satisfiesNodeRange(version, range), satisfied, version);
  }
});

test("satisfiesNodeRange() takes nothing for granted that it can't read", () => {
  for (const range of ["", "*", "^24", "24", ">=x", "~24.1", ">=24 <latest"]) {
    equal(satisfiesNodeRange("24.21.0", range), false, range);
  }
  equal(satisfiesNodeRange("24.21.0-nightly", ">=24"), false);
});
