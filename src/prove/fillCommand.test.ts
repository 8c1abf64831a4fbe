import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { fillCommand } from "./fillCommand.ts";

test("fillCommand() splits like a shell and fills the hole with words", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["{}", ["node", "a b"]],
    ["  bwrap --ro-bind / /  {} ", ["bwrap", "--ro-bind", "/", "/", "node", "a b"]],
    ["sh -c '{}'", ["sh", "-c", "'node' 'a b'"]],
    [`tool --x="y z" 'it''s' {}`, ["tool", "--x=y z", "its", "node", "a b"]],
    ["tool a\\ b '' {}", ["tool", "a b", "", "node", "a b"]],
  ];
  for (const [text, words] of cases) assert.deepEqual(fillCommand(text, ["node", "a b"]), words);
});

test("fillCommand() refuses what has no hole or no end", () => {
  for (const text of ["", "true", "'{}", '"{}', "{} \\"])
    assert.throws(() => fillCommand(text, ["x"]), { code: "bad-command", exitCode: 2 }, text);
});

test("fillCommand() fills a text so that a shell reads the same words again", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme-ascii" }), { minLength: 1 }), (words) => {
      const [, , script = ""] = fillCommand("sh -c 'printf \"%s\\0\" {}'", words);
      const { stdout } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
      assert.deepEqual(stdout.split("\0").slice(0, -1), words);
    }),
    { numRuns: 50 },
  );
});
