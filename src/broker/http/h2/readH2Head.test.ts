import assert from "node:assert/strict";
import { test } from "node:test";
import { readH2Head } from "./readH2Head.ts";

const GET = [":method", "GET", ":scheme", "https", ":authority", "a.test", ":path", "/x"];

test("readH2Head() puts the authority in Host's place and keeps the rest in order", () => {
  assert.deepEqual(readH2Head([...GET, "b", "1", "a", "2", "b", "3"], true), {
    method: "GET",
    target: "/x",
    version: "2",
    headers: [
      ["host", "a.test"],
      ["b", "1"],
      ["a", "2"],
      ["b", "3"],
    ],
    empty: true,
  });
});

test("readH2Head() keeps a Host that disagrees, and drops one that agrees", () => {
  const hosts = (value: string): unknown =>
    readH2Head([...GET, "host", value], true)?.headers.filter(([name]) => name === "host");
  assert.deepEqual(hosts("A.TEST"), [["host", "a.test"]]);
  assert.deepEqual(hosts("evil.test"), [
    ["host", "a.test"],
    ["host", "evil.test"],
  ]);
});

const refused: readonly [string, string[]][] = [
  ["no method", GET.slice(2)],
  ["no path", GET.slice(0, 6)],
  ["no scheme", [...GET.slice(0, 2), ...GET.slice(4)]],
  ["plain http", GET.map((each) => (each === "https" ? "http" : each))],
  ["a pseudo-header field twice", [":path", "/y", ...GET]],
  ["a pseudo-header field after the others", ["a", "b", ...GET]],
  ["an extended CONNECT", [":protocol", "websocket", ...GET]],
];
for (const [what, raw] of refused) {
  test(`readH2Head() refuses ${what}`, () => {
    assert.equal(readH2Head(raw, true), undefined);
  });
}
