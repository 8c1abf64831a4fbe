import assert from "node:assert/strict";
import { test } from "node:test";
import type { Header } from "../../match.ts";
import { composeFields, headPattern } from "./fields.ts";
import { composeTrailers } from "./composeTrailers.ts";

const PATTERN = headPattern(String.raw`GET /[\x21-\x7e]* HTTP/1\.1`);

test("composeFields() writes each field as one line", () => {
  assert.equal(
    composeFields("GET / HTTP/1.1", [["A", "b: c\xff"]], PATTERN),
    "GET / HTTP/1.1\r\nA: b: c\xff\r\n",
  );
});

const split: readonly [string, string, readonly Header[]][] = [
  ["a line break in a value", "GET / HTTP/1.1", [["A", "b\r\nC: d"]]],
  ["a whole further request in a value", "GET / HTTP/1.1", [["A", "b\r\n\r\nGET / HTTP/1.1"]]],
  ["a line feed in a value", "GET / HTTP/1.1", [["A", "b\nC: d"]]],
  ["a NUL in a value", "GET / HTTP/1.1", [["A", "b\0"]]],
  ["a character beyond latin1", "GET / HTTP/1.1", [["A", "\u010a"]]],
  ["a field in a name", "GET / HTTP/1.1", [["A: b\r\nC", "d"]]],
  ["a blank in a name", "GET / HTTP/1.1", [["A ", "d"]]],
  ["an empty name", "GET / HTTP/1.1", [["", "d"]]],
  ["a field in the start line", "GET / HTTP/1.1\r\nC: d", []],
  ["a blank in the target", "GET / x HTTP/1.1", []],
];
for (const [what, line, headers] of split) {
  test(`composeFields() refuses ${what}`, () => {
    assert.equal(composeFields(line, headers, PATTERN), undefined);
  });
}

test("composeTrailers() leaves out what isn't one field", () => {
  const trailers: readonly Header[] = [
    ["A", "b"],
    ["C", "d\r\nE: f"],
    ["G: h\r\nI", "j"],
    ["K", "\0"],
  ];
  assert.equal(composeTrailers(trailers), "A: b\r\n");
});
