import assert from "node:assert/strict";
import { test } from "node:test";
import { compileNeedles } from "./compileNeedles.ts";
import { Search } from "./Search.ts";

const VALUE = "Zj2kQ9v8X7c6B5n4";

function pieces(...parts: string[]): (into: Uint8Array, offset: number) => number {
  const rest = parts.map((part) => Buffer.from(part));
  return (into, offset) => {
    const part = rest.shift();
    if (part === undefined) return 0;
    into.set(part, offset);
    return part.length;
  };
}

const newSearch = (): Search => new Search(compileNeedles([{ name: "v", value: VALUE }]));

test("Search.searchThrough() finds a value over any border between pieces", () => {
  for (let at = 1; at < VALUE.length; at++) {
    const search = newSearch();
    search.begin();
    const read = pieces(
      `xx${VALUE.slice(0, at)}`,
      VALUE.slice(at, at + 1),
      `${VALUE.slice(at + 1)}yy`,
    );
    assert.equal(
      search.searchThrough(read, () => "here", 1000),
      VALUE.length + 4,
    );
    assert.deepEqual(search.found, [{ name: "v", where: "here", spelling: "plain" }]);
  }
});

test("Search.searchThrough() continues over two calls unless something new begins", () => {
  const search = newSearch();
  search.begin();
  search.searchThrough(pieces(VALUE.slice(0, 5)), () => "one", 1000);
  search.begin();
  search.searchThrough(pieces(VALUE.slice(5)), () => "two", 1000);
  assert.deepEqual(search.found, []);
  search.begin();
  search.searchThrough(pieces(VALUE.slice(0, 5)), () => "one", 1000);
  search.searchThrough(pieces(VALUE.slice(5)), () => "two", 1000);
  assert.equal(search.found.length, 1);
});

test("Search reports each place once, and no control character or value with it", () => {
  const search = newSearch();
  const where = `file /a\u001b[2J/${VALUE}/b`;
  search.searchBytes(Buffer.from(VALUE + VALUE), () => where);
  search.skip(where, "no");
  assert.deepEqual(search.found, [
    { name: "v", where: "file /a?[2J/[value]/b", spelling: "plain" },
  ]);
  assert.deepEqual(search.unread, [{ where: "file /a?[2J/[value]/b", why: "no" }]);
});

test("Search reports no value that begins to be one only when a path is put together", () => {
  const search = new Search(compileNeedles([{ name: "v", value: "folder/value" }]));
  search.skip("file /folder/value", "no");
  assert.deepEqual(search.unread, [{ where: "[value]", why: "no" }]);
});
