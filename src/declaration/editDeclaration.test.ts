import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import JSON5 from "json5";
import { editDeclaration, type Edit } from "./editDeclaration.ts";
import { readDeclaration } from "./readDeclaration.ts";

const append = (value: unknown): Edit => ({ kind: "append", path: ["a"], value });
const remove = (index: number): Edit => ({ kind: "remove", path: ["a"], index });
const set = (key: string, value: unknown): Edit => ({ kind: "set", path: ["a"], key, value });

const CASES: readonly (readonly [what: string, before: string, edit: Edit, after: string])[] = [
  ["an empty list", "{ a: [] }", append("x"), '{ a: ["x"] }'],
  ["a list on one line", '{ a: ["x"] }', append("y"), '{ a: ["x", "y"] }'],
  ["a comma before the bracket", '{ a: ["x",] }', append("y"), '{ a: ["x", "y",] }'],
  [
    "a list of lines, with comments",
    '{\n  a: [\n    "x", // why x\n    // none yet\n  ],\n}',
    append("y"),
    '{\n  a: [\n    "x", // why x\n    "y",\n    // none yet\n  ],\n}',
  ],
  [
    "a last line without comma, with a comment",
    '{\n  a: [\n    "x" // why x\n  ]\n}',
    append("y"),
    '{\n  a: [\n    "x", // why x\n    "y"\n  ]\n}',
  ],
  [
    "a comment over several lines",
    '{\n  a: [\n    "x", /* one\n two */\n  ]\n}',
    append("y"),
    '{\n  a: [\n    "x",\n    "y", /* one\n two */\n  ]\n}',
  ],
  [
    "an object of lines",
    "{\n  a: {\n    b: 1,\n  },\n}",
    set("x.y", { tunnel: 443 }),
    '{\n  a: {\n    b: 1,\n    "x.y": { tunnel: 443 },\n  },\n}',
  ],
  ["an object on one line", "{ a: { b: 1 } }", set("c", [1]), "{ a: { b: 1, c: [1] } }"],
  ["an empty object", "{ a: {} }", set("c", {}), "{ a: { c: {} } }"],
  [
    "an empty object with a comment",
    "{\n  a: {\n    // nothing\n  },\n}",
    set("c", true),
    "{\n  a: {\n    // nothing\n    c: true,\n  },\n}",
  ],
  [
    "lines ended as on Windows",
    "{\r\n a: [\r\n  1,\r\n ]\r\n}",
    append(2),
    "{\r\n a: [\r\n  1,\r\n  2,\r\n ]\r\n}",
  ],
  ["the only item", '{ a: ["x"] }', remove(0), "{ a: [] }"],
  ["the first item", '{ a: ["x", "y"] }', remove(0), '{ a: ["y"] }'],
  ["the last item", '{ a: ["x", "y"] }', remove(1), '{ a: ["x"] }'],
  [
    "an item in a line of its own, with what is said of it",
    '{\n  a: [\n    // first\n    "x", // x\n    "y", // y\n  ],\n}',
    remove(1),
    '{\n  a: [\n    // first\n    "x", // x\n  ],\n}',
  ],
  [
    "the last of several lines without comma",
    '{\n  a: [\n    "x",\n    "y"\n  ]\n}',
    remove(1),
    '{\n  a: [\n    "x",\n  ]\n}',
  ],
];

for (const [what, before, edit, after] of CASES) {
  test(`editDeclaration() ${edit.kind}s: ${what}`, () => {
    assert.equal(editDeclaration(before, [edit]), after);
  });
}

test("editDeclaration() puts a value in the place of another, and nothing else changes", () => {
  const text = '{\n  // which\n  bots: { a: { openclaw: "1", // why\n    port: 1 } },\n}\n';
  const edit = { kind: "replace", path: ["bots", "a", "openclaw"], value: "2" } as const;
  assert.equal(editDeclaration(text, [edit]), text.replace('"1"', '"2"'));
  assert.throws(
    () => editDeclaration(text, [{ ...edit, path: ["bots", "b", "openclaw"] }]),
    TypeError,
  );
});

test("editDeclaration() takes nothing that isn't there and overwrites nothing", () => {
  for (const edit of [
    { kind: "append", path: ["b"], value: 1 },
    { kind: "append", path: ["a", 0], value: 1 },
    { kind: "remove", path: ["a"], index: 3 },
    { kind: "set", path: [], key: "a", value: 1 },
  ] as const)
    assert.throws(() => editDeclaration("{ a: [1] }", [edit]), TypeError, edit.kind);
});

test("editDeclaration() changes what was wanted and nothing else, whatever stands there", () => {
  // Through JSON's own text, which knows no negative zero.
  const json = fc.jsonValue({ maxDepth: 2 }).map((value) => plain(value));
  const list = fc.array(json, { maxLength: 4 });
  fc.assert(
    fc.property(list, json, fc.nat(3), fc.nat(4), (a, value, index, space) => {
      const text = JSON5.stringify({ a, b: [1] }, null, space);
      const added = readDeclaration(editDeclaration(text, [append(value)])).value;
      assert.deepEqual(plain(added), plain({ a: [...a, value], b: [1] }));
      if (index >= a.length) return;
      const less = readDeclaration(editDeclaration(text, [remove(index)])).value;
      assert.deepEqual(plain(less), plain({ a: a.toSpliced(index, 1), b: [1] }));
    }),
  );
});

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
