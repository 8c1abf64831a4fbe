import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Header } from "../../match.ts";
import { ReplyFault } from "./ReplyFault.ts";
import { ReplyParser, type ParsedHead } from "./ReplyParser.ts";

interface Got {
  head?: ParsedHead;
  body: string;
  trailers?: readonly Header[];
  rest?: string;
  switched?: string;
}

/** What is read when the bytes come cut at these places; `undefined` for a fault. */
function read(
  text: string,
  asked: { method?: string; upgrade?: boolean; cuts?: readonly number[]; end?: boolean } = {},
): Got | undefined {
  const got: Got = { body: "" };
  const parser = new ReplyParser(
    {
      onHead: (head) => {
        got.head = head;
      },
      onBody: (chunk) => {
        got.body += chunk.toString("latin1");
      },
      onEndOfReply: (trailers, rest) => {
        got.trailers = trailers;
        got.rest = rest.toString("latin1");
      },
      onSwitch: (head, rest) => {
        got.head = head;
        got.switched = rest.toString("latin1");
      },
    },
    { method: asked.method ?? "GET", upgrade: asked.upgrade ?? false },
  );
  const bytes = Buffer.from(text, "latin1");
  const cuts = [0, ...(asked.cuts ?? []).map((cut) => cut % (bytes.length + 1)), bytes.length];
  try {
    for (const [index, cut] of cuts.toSorted((a, b) => a - b).entries()) {
      const before = cuts.toSorted((a, b) => a - b)[index - 1] ?? 0;
      if (cut > before && got.trailers === undefined) parser.push(bytes.subarray(before, cut));
      else if (cut > before) got.rest += bytes.toString("latin1", before, cut);
    }
  } catch (error) {
    assert.ok(error instanceof ReplyFault);
    return undefined;
  }
  if (asked.end === true) assert.equal(parser.end(), got.trailers !== undefined);
  return got;
}

test("ReplyParser reads a length, chunks with trailers, and the end of the connection", () => {
  const length = read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX:  a \r\n\r\nabcHTTP");
  assert.equal(length?.body, "abc");
  assert.equal(length.rest, "HTTP");
  assert.deepEqual(length.head?.headers[1], ["X", "a"]);
  assert.equal(length.head.persistent, true);
  const chunks = read(
    "HTTP/1.1 200 \r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n",
  );
  assert.equal(chunks?.body, "abc0123456789");
  assert.deepEqual(chunks.trailers, [["X-Sum", "1"]]);
  const close = read("HTTP/1.0 200\r\n\r\nall of it", { end: true });
  assert.equal(close?.body, "all of it");
  assert.equal(close.head?.persistent, false);
});

test("ReplyParser gives HEAD, 204 and 304 no body, whatever their heads say", () => {
  const head = read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nHTT", { method: "HEAD" });
  assert.equal(head?.rest, "HTT");
  for (const status of [204, 304]) {
    const none = read(`HTTP/1.1 ${status} X\r\nContent-Length: 3\r\n\r\n`);
    assert.equal(none?.body, "");
    assert.equal(none.rest, "");
  }
});

test("ReplyParser drops interim replies, but not without end", () => {
  const one = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  assert.equal(read(`${one.repeat(16)}HTTP/1.1 204 X\r\n\r\n`)?.head?.status, 204);
  assert.equal(read(`${one.repeat(17)}HTTP/1.1 204 X\r\n\r\n`), undefined);
});

test("ReplyParser takes a 101 only where it was asked for", () => {
  const text = "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\nframes";
  assert.equal(read(text, { upgrade: true })?.switched, "frames");
  assert.equal(read(text), undefined);
});

const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const refused: readonly [string, string][] = [
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"],
  ["a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc"],
  ["a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc"],
  ["a length in hex", "HTTP/1.1 200 OK\r\nContent-Length: 0x3\r\n\r\nabc"],
  [
    "a length beside chunks",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  ["another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
  [
    "two codings",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  ["chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["a folded header", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n"],
  ["a blank before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nabc"],
  ["a bare line feed", "HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n"],
  ["a bare carriage return", "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n"],
  ["a NUL", "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
  ["a status out of range", "HTTP/1.1 999 OK\r\n\r\n"],
  ["another version", "HTTP/2.0 200 OK\r\n\r\n"],
  ["another protocol", "SSH-2.0-x\r\n\r\n"],
  ["too long a head", `HTTP/1.1 200 OK\r\nX: ${"a".repeat(70_000)}\r\n\r\n`],
  ["a head without end", `HTTP/1.1 200 OK\r\nX: ${"a".repeat(70_000)}`],
  ["too many headers", `HTTP/1.1 200 OK\r\n${"X: a\r\n".repeat(300)}\r\n`],
  ["a chunk size with a sign", `${chunked}+3\r\nabc\r\n0\r\n\r\n`],
  ["a chunk size in words", `${chunked}three\r\nabc\r\n0\r\n\r\n`],
  ["no chunk size", `${chunked}\r\nabc\r\n0\r\n\r\n`],
  ["an oversize chunk size", `${chunked}FFFFFFFFFFFFFFFFF\r\nabc`],
  ["a blank after the chunk size", `${chunked}3 \r\nabc\r\n0\r\n\r\n`],
  ["a bare line feed after the chunk size", `${chunked}3\nabc\r\n0\r\n\r\n`],
  ["a bare line feed after the chunk", `${chunked}3\r\nabc\n0\r\n\r\n`],
  ["a chunk longer than its size", `${chunked}3\r\nabcd\r\n0\r\n\r\n`],
  ["a long extension", `${chunked}3;${"a".repeat(2000)}\r\nabc\r\n0\r\n\r\n`],
  ["extensions without end", `${chunked}${`1;${"a".repeat(900)}\r\na\r\n`.repeat(20)}0\r\n\r\n`],
  ["a carriage return in an extension", `${chunked}3;a\rb\r\nabc\r\n0\r\n\r\n`],
  ["malformed trailers", `${chunked}0\r\nX a\r\n\r\n`],
  ["a bare line feed in trailers", `${chunked}0\r\nX: a\nY: b\r\n\r\n`],
  ["trailers without end", `${chunked}0\r\n${"X: a\r\n".repeat(6000)}`],
];
for (const [what, text] of refused) {
  test(`ReplyParser refuses ${what}`, () => {
    assert.equal(read(text), undefined);
    // The same byte by byte.
    const cuts = Array.from({ length: Math.min(text.length, 300) }, (_, at) => at);
    assert.equal(read(text, { cuts }), undefined);
  });
}

test("ReplyParser doesn't take half a reply for a whole", () => {
  for (const text of [
    "",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
    `${chunked}3\r\nabc\r\n`,
    `${chunked}3\r\nabc\r\n0\r\n`,
    "HTTP/1.1 100 Continue\r\n\r\n",
  ])
    assert.equal(read(text, { end: true })?.trailers, undefined);
});

test("ReplyParser reads the same however the bytes are cut", () => {
  const texts = [
    "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789HTTP/1.1",
    `${chunked}3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nA: b\r\nC: d\r\n\r\nHTTP`,
    `${chunked}1\r\na\r\n0\r\n\r\n`,
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end",
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.array(fc.nat({ max: 300 }), { maxLength: 40 }),
      (text, cuts) => {
        assert.deepEqual(read(text, { cuts }), read(text));
      },
    ),
  );
});
