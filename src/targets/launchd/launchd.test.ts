import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { TargetError } from "../TargetError.ts";
import { launchdTarget, type LaunchdInput } from "./launchdTarget.ts";
import { plist, type PlistValue } from "./plist.ts";

const GOLDEN = join(import.meta.dirname, "../../../test/goldens/launchd/agent.txt");
const REWRITE = process.env["SEAWALL_GOLDENS"] === "write" && process.env["CI"] === undefined;

const INPUT: LaunchdInput = {
  seawall: "/Users/me/seawall/bin/seawall",
  declaration: "/Users/me/.config/seawall/seawall.json5",
  log: "/Users/me/Library/Logs/seawall.log",
};

test("launchdTarget prints what it did before", () => {
  const files = launchdTarget.render(INPUT);
  const made = files
    .map(
      ({ path, mode, bytes }) =>
        `--- ${path} ${mode.toString(8)}\n${Buffer.from(bytes).toString()}`,
    )
    .join("");
  if (REWRITE) writeFileSync(GOLDEN, made);
  assert.equal(made, readFileSync(GOLDEN, "utf8"));
  assert.deepEqual(readdirSync(join(GOLDEN, "..")), ["agent.txt"]);
});

const PYTHON = spawnSync("/usr/bin/python3", ["-c", "import plistlib"]).status === 0;

test(
  "a property list is read back as it was by another parser",
  { skip: PYTHON ? false : "python3 with plistlib is missing" },
  () => {
    // `<integer>` and dict order are all that plistlib could see differently.
    const text = fc.string({ unit: "grapheme" }).filter((each) => {
      try {
        return plist(each) !== "";
      } catch {
        return false;
      }
    });
    const { value } = fc.letrec<{ value: PlistValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.boolean(),
        fc.maxSafeInteger(),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(text, tie("value"), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    const samples = fc.sample(value, { numRuns: 200, seed: 20260921 });
    const script =
      "import sys, json, plistlib; print(json.dumps([plistlib.loads(x.encode()) for x in json.load(sys.stdin)]))";
    const run = spawnSync("/usr/bin/python3", ["-c", script], {
      encoding: "utf8",
      input: JSON.stringify(samples.map(plist)),
    });
    assert.equal(run.status, 0, run.stderr);
    assert.deepEqual(JSON.parse(run.stdout), JSON.parse(JSON.stringify(samples)));
  },
);

test("plist() refuses what XML can't carry", () => {
  for (const text of ["a\0b", "a\u0007", "\r", "\ud800", "\uffff"])
    assert.throws(() => plist(text), TargetError);
  assert.throws(() => plist(1.5), TargetError);
});
