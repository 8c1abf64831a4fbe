import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { pairHeaders, readCall, readTarget } from "./match.ts";
import { findInPath, putInPath } from "./decide/pathPlace.ts";
import { isRefusal } from "./Refusal.ts";

function read(...headers: readonly string[]): string {
  const call = readCall({
    method: "POST",
    target: "/x",
    version: "1.1",
    headers: pairHeaders(["Host", "a.test", ...headers]),
  });
  return isRefusal(call) ? call.refused : call.body;
}

test("readCall() takes one length or one chunked, whatever the parser before it let through", () => {
  assert.equal(read(), "none");
  assert.equal(read("Content-Length", "0"), "none");
  assert.equal(read("content-length", "12"), "length");
  assert.equal(read("Transfer-Encoding", "Chunked"), "chunked");
  const refused = [
    ["Content-Length", "1", "Content-Length", "1"],
    ["Content-Length", "1", "Transfer-Encoding", "chunked"],
    ["Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked"],
    ["Transfer-Encoding", "identity"],
    ["Transfer-Encoding", "chunked, chunked"],
    ["Content-Length", "+1"],
    ["Content-Length", "0x1"],
    ["Content-Length", ""],
    ["Content-Length", "1 "],
  ];
  for (const headers of refused) assert.equal(read(...headers), "framing", headers.join(" "));
});

test("readTarget() accepts only what decodes to the same segments in any order of decoding and splitting", () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom(
          "/",
          ".",
          "%",
          "2",
          "e",
          "E",
          "f",
          "5",
          "c",
          "0",
          "a",
          ";",
          "?",
          "\\",
          "#",
        ),
        maxLength: 24,
      }),
      (tail) => {
        const target = readTarget(`/${tail}`);
        if (isRefusal(target)) return;
        const once = decodeURIComponent(target.path);
        assert.equal(new URL(`http://a.test${target.path}`).pathname, target.path);
        assert.equal(once.split("/").length, target.path.split("/").length);
        assert.ok(!once.split("/").some((segment) => /^\.\.?(?:;|$)/.test(segment)));
        assert.equal(decodeURIComponent(once), once);
      },
    ),
    { numRuns: 5000 },
  );
});

test("readTarget() refuses overlong and broken UTF-8", () => {
  for (const path of ["/%c0%af", "/%c0%ae%c0%ae/x", "/%e0%80%af", "/%a0", "/%ed%a0%80"]) {
    assert.deepEqual(readTarget(path), { refused: "path-ambiguous" }, path);
  }
  assert.deepEqual(readTarget("/%C3%A4?q=%c0%af"), { path: "/%C3%A4", query: "?q=%c0%af" });
});

test("findInPath() finds a whole segment's credential and putInPath() puts another there", () => {
  assert.deepEqual(findInPath("/bot{secret}", "/bot1:a/getMe"), {
    credential: "1:a",
    canonical: "/bot{secret}/getMe",
  });
  assert.deepEqual(findInPath("/k/{secret}/v1", "/k/abc/v1/x"), {
    credential: "abc",
    canonical: "/k/{secret}/v1/x",
  });
  assert.deepEqual(findInPath("/{secret}.json", "/abc.json"), {
    credential: "abc",
    canonical: "/{secret}.json",
  });
  for (const path of ["/bot", "/bot/getMe", "/x/bot1", "/"])
    assert.equal(findInPath("/bot{secret}", path), undefined);
  assert.equal(findInPath("/k/{secret}/v1", "/k/abc/v12"), undefined);
  assert.equal(putInPath("/bot{secret}", "/bot{secret}/getMe", "2:b"), "/bot2:b/getMe");
});
