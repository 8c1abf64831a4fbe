import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import JSON5 from "json5";
import { readDeclaration } from "./readDeclaration.ts";

test("readDeclaration() reads what the reference implementation of JSON5 writes", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON5.stringify(value, null, 2);
      const read = readDeclaration(text);
      assert.deepEqual(read.faults, []);
      assert.deepEqual(plain(read.value), plain(JSON5.parse(text)));
    }),
  );
});

test("readDeclaration() never throws, and reports text it can't read as one fault", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      const { value, faults } = readDeclaration(text);
      if (value === undefined) assert.equal(faults[0]?.code, "syntax");
    }),
  );
});

test("readDeclaration() gives line and column of values and keys", () => {
  const { positions } = readDeclaration('{\n  a: {\n    "b c": [1, 22],\n  },\n}');
  assert.deepEqual(positions.value(["a", "b c", 1]), { line: 3, column: 16 });
  assert.deepEqual(positions.key(["a", "b c"]), { line: 3, column: 5 });
});

test("readDeclaration() points at the nearest enclosing value for a path that isn't there", () => {
  const { positions } = readDeclaration("{\n  a: {},\n}");
  assert.deepEqual(positions.value(["a", "missing", "deeper"]), { line: 2, column: 6 });
});

test("readDeclaration() reports a key given twice at its second place", () => {
  const { faults } = readDeclaration("{ a: 1,\n a: 2 }");
  assert.deepEqual(
    faults.map(({ code, at }) => ({ code, at: { line: at?.line, column: at?.column } })),
    [{ code: "duplicate-key", at: { line: 2, column: 2 } }],
  );
});

test("readDeclaration() keeps __proto__ as a key like any other", () => {
  const { value } = readDeclaration('{ "__proto__": { polluted: true } }');
  assert.deepEqual(Object.keys(value as object), ["__proto__"]);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test("readDeclaration() never quotes the text in a fault", () => {
  const marker = "sk-ant-marker-0123456789";
  for (const text of [`{ a: ${marker} }`, `{ "${marker}": `, `{ '${marker} }`, `[${marker},,]`]) {
    assert.ok(!JSON.stringify(readDeclaration(text).faults).includes(marker), text);
  }
});

function plain(value: unknown): unknown {
  // JSON has no -0, and null prototypes are ours.
  return JSON.parse(JSON.stringify(value));
}
