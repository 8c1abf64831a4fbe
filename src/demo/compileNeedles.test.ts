import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { compileNeedles } from "./compileNeedles.ts";

const VALUE = 'key/Zj2kQ9"v8X7+c6B5n4M3=';

function spellings(text: Uint8Array, value = VALUE): string[] {
  return compileNeedles([{ name: "v", value }])
    .search(text, text.length)
    .map((needle) => needle.spelling);
}

test("compileNeedles() finds each spelling, as other programs write it", () => {
  const plain = Buffer.from(VALUE);
  const cases: [string, Uint8Array | string][] = [
    ["plain", VALUE],
    ["reversed", VALUE.split("").toReversed().join("")],
    ["UTF-16", Buffer.from(VALUE, "utf16le")],
    ["UTF-16", Buffer.from(VALUE, "utf16le").swap16()],
    ["hex", plain.toString("hex")],
    ["hex", plain.toString("hex").toUpperCase()],
    ["percent-encoded", new URLSearchParams({ v: VALUE }).toString().slice(2)],
    ["percent-encoded", plain.toString("hex").replaceAll(/../g, "%$&")],
    ["JSON", JSON.stringify({ v: VALUE })],
  ];
  for (const [spelling, text] of cases) {
    const around = Buffer.concat([Buffer.from("before"), Buffer.from(text), Buffer.from("behind")]);
    assert.deepEqual(spellings(around), [spelling]);
  }
});

test("compileNeedles() finds base64 whatever stands before and behind the value", () => {
  for (let before = 0; before < 9; before++) {
    for (let behind = 0; behind < 4; behind++) {
      const text = Buffer.concat([
        Buffer.alloc(before, 0xff),
        Buffer.from(VALUE),
        Buffer.alloc(behind, 0xaa),
      ]);
      for (const alphabet of ["base64", "base64url"] as const) {
        const found = spellings(Buffer.from(text.toString(alphabet)));
        assert.deepEqual(new Set(found), new Set(["base64"]), `${before} ${behind}`);
      }
    }
  }
});

test("compileNeedles() finds a value at the very beginning and end, and not beyond the length", () => {
  const text = Buffer.from(`${VALUE}-${VALUE}`);
  assert.deepEqual(spellings(text), ["plain", "plain"]);
  const needles = compileNeedles([{ name: "v", value: VALUE }]);
  assert.equal(needles.search(text, text.length - 1).length, 1);
  assert.equal(needles.search(text, VALUE.length - 1).length, 0);
});

test("compileNeedles() finds what a search for each spelling by itself finds", () => {
  const letters = fc.constantFrom("a", "b", "0", "%", "=");
  const word = fc.string({ unit: letters, minLength: 8, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 3 }), fc.array(word), (values, noise) => {
      const named = [...new Set(values)].map((value) => ({ name: value, value }));
      const text = [...noise, ...values, ...noise].join("");
      const ours = compileNeedles(named)
        .search(Buffer.from(text), text.length)
        .filter((needle) => needle.spelling === "plain");
      let count = 0;
      for (const { value } of named) {
        for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) count++;
      }
      assert.equal(ours.length, count);
    }),
  );
});

test("compileNeedles() refuses a value that would be found by chance, without showing it", () => {
  assert.throws(
    () => compileNeedles([{ name: "short", value: "abc1234" }]),
    (error: Error) => /too short/.test(error.message) && !error.message.includes("abc1234"),
  );
});

test("compileNeedles() of nothing finds nothing", () => {
  assert.deepEqual(compileNeedles([]).search(Buffer.from(VALUE), VALUE.length), []);
});
