import assert from "node:assert/strict";
import { readTarget } from "../../../src/broker/match.ts";
import type { Fuzzer } from "../Fuzzer.ts";

/** A path that is taken for unambiguous stays the same when it is normalised. */
export const target: Fuzzer = {
  name: "target",
  what: "a target that readTarget takes is the same after URL has normalised it, and after decoding once",
  seeds: ["/v1/models/a?b=c", "/a/b;c=d/%20/e", "/bot123:abc/getMe?x=%2F..", "/"].map((text) =>
    Buffer.from(text),
  ),
  words: [
    "/",
    "//",
    ".",
    "..",
    "%2e",
    "%2f",
    "%5c",
    "\\",
    ";",
    "?",
    "#",
    "%",
    "%25",
    "%00",
    "@",
    ":",
    "%c0%af",
    "%e2%80%a6",
    " ",
    "\t",
    "|",
    "^",
    "[",
    "{",
  ],
  check(bytes) {
    const text = bytes.toString("latin1");
    const read = readTarget(text);
    if ("refused" in read) return;
    assert.equal(read.path + read.query, text);
    const url = new URL(`http://api.test${text}`);
    assert.equal(url.host, "api.test");
    assert.equal(url.pathname, read.path);
    const decoded = decodeURIComponent(read.path);
    assert.ok(!/[\\\0\r\n]/.test(decoded), "decoded it holds what no path has");
    assert.equal(
      decoded.split("/").length,
      read.path.split("/").length,
      "decoded it has other segments",
    );
    assert.equal(
      new URL(
        `http://api.test${encodeURI(decoded).replaceAll("?", "%3F").replaceAll("#", "%23")}`,
      ).pathname.split("/").length,
      read.path.split("/").length,
    );
  },
};
