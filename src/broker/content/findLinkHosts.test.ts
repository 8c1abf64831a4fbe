import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findLinkHosts } from "./findLinkHosts.ts";

function found(text: string): string {
  return [...findLinkHosts(text)].toSorted().join(" ");
}

test("findLinkHosts() finds links as chats write them", () => {
  for (const text of [
    "see https://evil.example/x?y=z",
    "HTTPS://EVIL.EXAMPLE",
    "see http:evil.example",
    "see http:/evil.example and http:\\\\evil.example",
    "https:///evil.example/",
    "(https://evil.example).",
    "[text](https://evil.example/x)",
    "[text](<https://evil.example/x>)",
    "[text]: //evil.example",
    "[text](//evil.example/x)",
    "<https://evil.example|good text>",
    "<evil.example/x|good text>",
    '<a href="https://evil.example">x</a>',
    "<a href=//evil.example>x</a>",
    "ftp://evil.example",
    "slack://evil.example/x",
    "seehttps://evil.example",
    "https://evil.example:8443/",
    "https://user:pass@evil.example/",
    "https://evil.example.",
    "evil.example/x",
    "evil.example?x",
    "evil.example:443/x",
    "mail@evil.example/x",
  ])
    assert.equal(found(text), "evil.example", text);
  assert.equal(found("www.evil.example"), "www.evil.example");
  assert.equal(found("c2VjcmV0.evil.com"), "c2vjcmv0.evil.com");
  assert.equal(found("10.0.0.1/x and http://[::1]:80/"), "10.0.0.1 [::1]");
});

test("findLinkHosts() sees through what hides a link", () => {
  for (const text of [
    "https://evil\u200b.example/x",
    "ht\u200dtps://evil.example",
    "https://evil\u00ad.exam\ufe0fple",
    "https://evil\u3002example",
    "https://evil\uff0eexample/",
    "https://evil\u2024example/",
    "\uff48\uff54\uff54\uff50\uff53\uff1a\uff0f\uff0fevil.example",
    "https://\u24d4\u24e5\u24d8\u24db.example",
    "https://evil%2eexample/",
    "https://%65vil.example",
    "h&#116;tps&#x3a;//evil.example",
    "https&colon;&sol;&sol;evil&period;example",
    "https\\://evil\\.example",
    "evil\\.example/x",
    "evil*.*example/x",
    "evil<b>.</b>example/x",
    "https://evil.exam\tple/",
    "https://evil.exam\nple/",
  ])
    assert.ok(findLinkHosts(text).has("evil.example"), `${text}: ${found(text)}`);
});

test("findLinkHosts() finds every host that a parser might dial", () => {
  for (const text of [
    "https://good.example@evil.example/",
    "https://good.example\\@evil.example/",
    "https://evil.example\\@good.example/",
    "https://evil.example%2f@good.example/",
    "https://good.example%40evil.example/",
    "https://evil.example,x.good.example/",
    "https://evil.example&x.good.example",
    "https://evil.example\u200b.good.example/",
    "https://good.example#@evil.example/",
    "https://good.example?@evil.example/",
    "[https://good.example](https://evil.example)",
    "<https://evil.example|https://good.example>",
    "https://good.example/https://evil.example/",
    "https://good.example//evil.example/x",
  ])
    assert.ok(findLinkHosts(text).has("evil.example"), `${text}: ${found(text)}`);
});

test("findLinkHosts() names hosts as a browser dials them", () => {
  for (const [text, host] of [
    ["https://b\u00fccher.example/", "xn--bcher-kva.example"],
    ["https://xn--bcher-kva.example/", "xn--bcher-kva.example"],
    ["https://2130706433/", "127.0.0.1"],
    ["https://0x7f.1/", "127.0.0.1"],
    ["https://localhost/", "localhost"],
    ["//2130706433 http://2130706433", "127.0.0.1"],
    ["https://\u0435xample.com/", "xn--xample-2of.com"],
  ] as const)
    assert.equal(found(text), host, text);
});

test("findLinkHosts() leaves plain text alone", () => {
  for (const text of [
    "",
    "Hello, this is fine. Really: it is.",
    "e.g. this, i.e. that, v1.2.3 and 3.14",
    "README.md, main.ts, index.html and node.js",
    "write to bob@example.com or bob@mail.example.com",
    "process.env.HOME = console.log.apply",
    "ratio 3:4, note: see below; C:\\Users\\x",
    "path/to/file and ./x/y or src/broker/call/forward.ts",
    "a // comment, and 10 // 3",
    "key: value, http is a protocol, https too",
    "foo...bar",
    "2026.09.06 at 12:30",
  ])
    assert.equal(found(text), "", text);
});

test("findLinkHosts() finds a link in any surroundings", () => {
  const noise = fc.string({ unit: "grapheme", maxLength: 12 });
  fc.assert(
    fc.property(noise, noise, (before, after) => {
      const hosts = findLinkHosts(`${before} https://evil.example/ ${after}`);
      assert.ok(hosts.has("evil.example"));
    }),
    { numRuns: 2000 },
  );
});

test("findLinkHosts() comes back from long texts", () => {
  const size = 65_536;
  for (const text of [
    "a.".repeat(size),
    "https:".repeat(size / 4),
    "http://".repeat(size / 4),
    "<".repeat(size),
    "<a".repeat(size),
    "&".repeat(size),
    "&#".repeat(size),
    "a@b.c/".repeat(size / 4),
    "[](".repeat(size),
    "//".repeat(size),
    "-".repeat(size),
    "\u200b".repeat(size),
    "x".repeat(size),
  ])
    findLinkHosts(text);
});
