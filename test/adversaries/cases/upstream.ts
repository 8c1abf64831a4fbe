import { gzipSync, brotliCompressSync } from "node:zlib";
import type { Case, Group, UpstreamScript } from "../Case.ts";
import { AUTH, get, post, sends } from "./http.ts";

const OK = "HTTP/1.1 200 OK\r\n";

/** A server that answers a plain GET like this; the client must not take it for a good answer. */
function lie(
  name: string,
  what: string,
  steps: UpstreamScript["steps"],
  more: Partial<Case["expect"]> = {},
  rest: Partial<Case> = {},
): Case {
  return {
    name,
    what,
    side: "upstream",
    upstream: { steps },
    // A GET may be tried once more when a kept connection turns out to be closed.
    expect: { bot: "failed", most: 2, ...more },
    ...rest,
  };
}

function says(name: string, what: string, send: string, more: Partial<Case["expect"]> = {}): Case {
  return lie(name, what, [{ send }, { act: "end" }], more);
}

/** Two answers where one was asked for: the second must not become the answer to somebody else's question. */
const POISON = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";

const CERTIFICATES = ["expired", "wrong-name", "other-authority", "self-signed"] as const;

export const upstream: Group = {
  name: "upstream",
  cases: [
    {
      name: "control-close",
      what: "An answer that the end of the connection ends is passed on whole.",
      side: "upstream",
      upstream: { steps: [{ send: `${OK}\r\nto the end` }, { act: "end" }] },
      expect: { bot: "served", botHas: ["to the end"] },
    },
    {
      name: "control-chunked",
      what: "A chunked answer is passed on whole.",
      side: "upstream",
      upstream: {
        steps: [
          { send: `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n` },
        ],
      },
      expect: { bot: "served", botHas: [/hello/, /world/] },
    },
    {
      name: "control-interim",
      what: "An interim answer before the final one doesn't harm.",
      side: "upstream",
      upstream: {
        steps: [
          {
            send: `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`,
          },
        ],
      },
      expect: { bot: "served", botHas: ["ok"] },
    },
    lie("closes", "It closes without a word.", [{ act: "end" }]),
    lie("resets", "It resets the connection.", [{ act: "reset" }]),
    says("no-http", "It speaks no HTTP.", "SSH-2.0-OpenSSH_9.9\r\n\r\n"),
    says("http-09", "It answers as HTTP/0.9 did, with nothing but a body.", "<html>hello</html>"),
    says("icy", "It answers like an Icecast server.", "ICY 200 OK\r\n\r\nmusic"),
    says("half-head", "It closes in the middle of the head.", `${OK}Content-Le`),
    says(
      "version-2",
      "HTTP/2.0 in a line of text.",
      "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
      { bot: "held", neverBot: ["HTTP/2"] },
    ),
    says(
      "status-short",
      "A status of two digits.",
      "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok",
    ),
    says(
      "status-long",
      "A status of four digits.",
      "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
    ),
    says(
      "status-letters",
      "A status in letters.",
      "HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nok",
    ),
    says("status-000", "Status 000.", "HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\nok"),
    says("status-999", "Status 999.", "HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok"),
    says(
      "length-and-chunks",
      "A length and chunks.",
      `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ),
    says(
      "length-twice",
      "Two lengths that differ.",
      `${OK}Content-Length: 2\r\nContent-Length: 6\r\n\r\nokokok`,
    ),
    says("length-list", "Content-Length: 2, 6.", `${OK}Content-Length: 2, 6\r\n\r\nokokok`),
    says("length-negative", "A negative length.", `${OK}Content-Length: -2\r\n\r\nok`),
    says("length-plus", "Content-Length: +2.", `${OK}Content-Length: +2\r\n\r\nok`),
    says("length-hex", "Content-Length: 0x2.", `${OK}Content-Length: 0x2\r\n\r\nok`),
    says(
      "length-overflow",
      "A length beyond 64 bits.",
      `${OK}Content-Length: 18446744073709551618\r\n\r\nok`,
    ),
    says(
      "short-body",
      "It closes before the length is reached.",
      `${OK}Content-Length: 100\r\n\r\nonly this`,
    ),
    lie("short-body-reset", "It resets before the length is reached.", [
      { send: `${OK}Content-Length: 100\r\n\r\nonly this` },
      { act: "reset" },
    ]),
    says(
      "chunk-cut",
      "It closes in the middle of a chunk.",
      `${OK}Transfer-Encoding: chunked\r\n\r\n64\r\nonly this`,
    ),
    says(
      "chunk-no-end",
      "It closes without the last chunk.",
      `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
    ),
    says(
      "chunk-odd",
      "A chunk size that is none.",
      `${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n`,
    ),
    says(
      "chunk-negative",
      "A negative chunk size.",
      `${OK}Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n`,
    ),
    says(
      "chunk-overflow",
      "A chunk size beyond 64 bits.",
      `${OK}Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n`,
    ),
    says(
      "chunk-short",
      "A chunk that is longer than it says.",
      `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n`,
    ),
    says(
      "chunk-lf",
      "Chunk lines that end in a bare LF.",
      `${OK}Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n`,
    ),
    says(
      "coding-odd",
      "A transfer coding that nobody knows.",
      `${OK}Transfer-Encoding: x-odd\r\n\r\nhello`,
      { bot: "held", neverBot: [/x-odd/i] },
    ),
    says(
      "coding-not-last",
      "chunked is not the last coding.",
      `${OK}Transfer-Encoding: chunked, gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      { bot: "held" },
    ),
    says("field-fold", "A folded field.", `${OK}X-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok`, {
      bot: "held",
      neverBot: [/\r\n c/],
    }),
    says("field-nul", "A NUL in a value.", `${OK}X-A: b\x00c\r\nContent-Length: 2\r\n\r\nok`),
    says(
      "field-lf",
      "A bare LF inside of a value, which makes two fields of one.",
      `${OK}X-A: b\nX-Evil: 1\r\nContent-Length: 2\r\n\r\nok`,
      { bot: "held", neverBot: [/[^\r]\nX-Evil/] },
    ),
    says(
      "field-cr",
      "A bare CR inside of a value.",
      `${OK}X-A: b\rX-Evil: 1\r\nContent-Length: 2\r\n\r\nok`,
      { bot: "held", neverBot: ["\rX-Evil"] },
    ),
    says(
      "field-name-space",
      "White space before the colon of a length.",
      `${OK}Content-Length : 2\r\n\r\nok`,
      { bot: "held" },
    ),
    says(
      "fields-many",
      "A head of ninety kilobytes.",
      `${OK}${`X-A: ${"a".repeat(900)}\r\n`.repeat(100)}\r\n`,
    ),
    lie(
      "fields-endless",
      "A head that never ends.",
      [{ send: OK }, { send: `X-A: ${"a".repeat(8000)}\r\n`, times: 20_000 }, { act: "end" }],
      { mostMemoryMB: 48, mostBytes: 65_536 },
      { alone: true },
    ),
    lie(
      "reason-endless",
      "A reason phrase that never ends.",
      [{ send: "HTTP/1.1 200 " }, { send: "a".repeat(8000), times: 20_000 }, { act: "end" }],
      { mostMemoryMB: 48, mostBytes: 65_536 },
      { alone: true },
    ),
    lie(
      "interim-flood",
      "A hundred thousand interim answers.",
      [{ send: "HTTP/1.1 100 Continue\r\n\r\n".repeat(100), times: 1000 }, { act: "end" }],
      { mostMemoryMB: 64 },
      { alone: true },
    ),
    lie(
      "interim-flood-fields",
      "Interim answers without end, each with a field.",
      [
        { send: `HTTP/1.1 103 Early Hints\r\nLink: <${"a".repeat(4000)}>\r\n\r\n`, times: 5000 },
        { act: "end" },
      ],
      { mostMemoryMB: 64 },
      { alone: true },
    ),
    lie(
      "switch-unasked",
      "It switches protocols unasked.",
      [
        {
          send: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nSSH-2.0",
        },
        { until: "closed" },
      ],
      { neverBot: ["SSH-2.0"] },
    ),
    lie(
      "switch-unasked-websocket",
      "It switches to WebSocket unasked.",
      [
        {
          send: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi",
        },
        { until: "closed" },
      ],
      {},
    ),
    {
      name: "two-answers",
      what: "A second answer behind the first must not be kept for the next request.",
      side: "upstream",
      upstream: { steps: [{ send: `${OK}Content-Length: 2\r\n\r\nok${POISON}` }] },
      expect: { bot: "served", exactly: 1, neverBot: ["poison"] },
    },
    {
      name: "two-answers-chunked",
      what: "The same behind a chunked answer.",
      side: "upstream",
      upstream: {
        steps: [{ send: `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${POISON}` }],
      },
      expect: { bot: "served", exactly: 1, neverBot: ["poison"] },
    },
    {
      name: "two-answers-late",
      what: "The second answer comes while the connection idles.",
      side: "upstream",
      upstream: {
        steps: [
          { send: `${OK}Content-Length: 2\r\n\r\nok` },
          { act: "pause", ms: 100 },
          { send: POISON },
        ],
      },
      bot: [{ send: get() }, { until: "answers", count: 1 }, { act: "pause", ms: 400 }],
      expect: { bot: "served", exactly: 1, neverBot: ["poison"] },
    },
    {
      name: "answer-before-question",
      what: "It answers before anything was asked.",
      side: "upstream",
      upstream: { on: "connect", steps: [{ send: POISON }, { until: "closed" }] },
      expect: { bot: "held", most: 1 },
    },
    {
      name: "head-with-body",
      what: "A HEAD that is answered with a body: the body is no part of the next answer.",
      side: "upstream",
      bot: sends(`HEAD /v1/models/{id} HTTP/1.1\r\n${AUTH}\r\n`),
      upstream: { steps: [{ send: `${OK}Content-Length: ${POISON.length}\r\n\r\n${POISON}` }] },
      expect: { bot: "served", neverBot: ["poison"], exactly: 1 },
    },
    {
      name: "no-content-with-body",
      what: "204 with a body: the body is no part of the next answer.",
      side: "upstream",
      upstream: {
        steps: [
          { send: `HTTP/1.1 204 No Content\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}` },
        ],
      },
      expect: { bot: "held", neverBot: ["poison"], most: 1 },
    },
    {
      name: "not-modified-with-body",
      what: "304 with a body.",
      side: "upstream",
      upstream: {
        steps: [
          {
            send: `HTTP/1.1 304 Not Modified\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`,
          },
        ],
      },
      expect: { bot: "held", neverBot: ["poison"], most: 1 },
    },
    {
      name: "early-answer",
      what: "It answers before the body is there and closes: the client gets the answer or a cut, and no request is invented from the rest of the body.",
      side: "upstream",
      bot: [
        { send: post("Content-Length: 100000\r\n", "") },
        { send: "GET /smuggled/x HTTP/1.1\r\n\r\n".repeat(100), times: 20 },
      ],
      upstream: {
        on: "head",
        steps: [
          { send: "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" },
          { act: "end" },
        ],
      },
      expect: { bot: "held", most: 1, leave: true },
    },
    {
      name: "early-answer-kept",
      what: "It answers before the body is there and keeps the connection: what is left of the body is not the next request.",
      side: "upstream",
      bot: [
        { send: post("Content-Length: 1000\r\n", "GET /smuggled/x HTTP/1.1\r\n\r\n") },
        { until: "answers", count: 1 },
      ],
      upstream: { on: "head", steps: [{ send: `${OK}Content-Length: 2\r\n\r\nok` }] },
      expect: { bot: "held", most: 1 },
    },
    {
      name: "expect-ignored",
      what: "It answers 417 to Expect and keeps the connection.",
      side: "upstream",
      bot: [
        { send: post("Content-Length: 5\r\nExpect: 100-continue\r\n", "") },
        { until: "text", text: "HTTP/1.1" },
        { send: "hello" },
        { until: "answers", count: 1 },
      ],
      upstream: {
        on: "head",
        steps: [{ send: "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n" }],
      },
      expect: { bot: "held", most: 1 },
    },
    {
      name: "never-ends",
      what: "It sends for ever; the client goes away, and so does the connection to the server.",
      side: "upstream",
      bot: [{ send: get() }, { until: "text", text: "aaaa" }, { act: "reset" }],
      upstream: {
        steps: [{ send: `${OK}\r\n` }, { send: "a".repeat(1000), times: 1_000_000, everyMs: 1 }],
      },
      expect: { bot: "held", upstreamClosed: true, leave: true },
    },
    {
      name: "never-read",
      what: "The server sends a gigabyte that the client doesn't read: it isn't kept in between.",
      side: "upstream",
      alone: true,
      bot: [
        { send: get() },
        { until: "text", text: "aaaa" },
        { act: "stop-reading" },
        { act: "pause", ms: 3000 },
      ],
      upstream: { steps: [{ send: `${OK}\r\n` }, { send: "a".repeat(1 << 20), times: 1000 }] },
      expect: { bot: "held", mostMemoryMB: 64, leave: true, upstreamClosed: true },
    },
    {
      name: "never-answers",
      what: "It never answers; the client goes away, and so does the connection to the server.",
      side: "upstream",
      bot: [{ send: get() }, { until: "upstream", count: 1 }, { act: "reset" }],
      upstream: { steps: [{ until: "closed" }] },
      expect: { bot: "held", upstreamClosed: true, leave: true },
    },
    {
      name: "redirect",
      what: "A redirect is the client's to follow: nothing else is called.",
      side: "upstream",
      upstream: {
        steps: [
          {
            send: "HTTP/1.1 302 Found\r\nLocation: https://{other-host}/v1/models/x\r\nContent-Length: 0\r\n\r\n",
          },
        ],
      },
      expect: { bot: "held", exactly: 1 },
    },
    {
      name: "redirect-metadata",
      what: "A redirect to an address inside of a cloud.",
      side: "upstream",
      upstream: {
        steps: [
          {
            send: "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/latest/meta-data/\r\nContent-Length: 0\r\n\r\n",
          },
        ],
      },
      expect: { bot: "held", exactly: 1 },
    },
    {
      name: "authenticate",
      what: "401 asks for other credentials: they are not sent by anybody but the client.",
      side: "upstream",
      upstream: {
        steps: [
          {
            send: "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
          },
        ],
      },
      expect: { bot: "held", exactly: 1 },
    },
    {
      name: "alt-svc",
      what: "It names another server by Alt-Svc: nobody goes there, and the client isn't told.",
      side: "upstream",
      upstream: {
        steps: [
          { send: `${OK}Alt-Svc: h3="evil.test:443"; ma=86400\r\nContent-Length: 2\r\n\r\nok` },
        ],
      },
      expect: { bot: "held", exactly: 1 },
    },
    {
      name: "bomb-gzip",
      what: "Two hundred megabytes of zeros in two hundred kilobytes of gzip.",
      side: "upstream",
      alone: true,
      bot: sends(get(undefined, "Accept-Encoding: gzip\r\nConnection: close\r\n")),
      upstream: {
        steps: [
          { send: `${OK}Content-Encoding: gzip\r\nConnection: close\r\n\r\n` },
          { send: gzipSync(Buffer.alloc(64 << 20), { level: 9 }), times: 3 },
          { act: "end" },
        ],
      },
      // It may take as long as the machine needs for so many bytes; what counts is the memory.
      expect: { bot: "held", mostMemoryMB: 64, withinMs: 240_000 },
    },
    {
      name: "bomb-br",
      what: "A quarter of a gigabyte of zeros in a few hundred bytes of brotli, unread by the client.",
      side: "upstream",
      alone: true,
      bot: [
        { send: get(undefined, "Accept-Encoding: br\r\n") },
        { until: "text", text: "HTTP/1.1" },
        { act: "stop-reading" },
        { act: "pause", ms: 2000 },
      ],
      upstream: {
        steps: [
          { send: `${OK}Content-Encoding: br\r\nConnection: close\r\n\r\n` },
          { send: brotliCompressSync(Buffer.alloc(256 << 20)) },
          { act: "end" },
        ],
      },
      expect: { bot: "held", mostMemoryMB: 64, leave: true },
    },
    {
      name: "gzip-cut",
      what: "A compressed body that ends in the middle.",
      side: "upstream",
      bot: sends(get(undefined, "Accept-Encoding: gzip\r\n")),
      upstream: {
        steps: [
          { send: `${OK}Content-Encoding: gzip\r\n\r\n` },
          { send: gzipSync("hello world".repeat(1000)).subarray(0, 30) },
          { act: "end" },
        ],
      },
      expect: { bot: "held" },
    },
    {
      name: "gzip-garbage",
      what: "A body that says gzip and isn't.",
      side: "upstream",
      bot: sends(get(undefined, "Accept-Encoding: gzip\r\n")),
      upstream: {
        steps: [{ send: `${OK}Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello` }],
      },
      expect: { bot: "held" },
    },
    {
      name: "gzip-behind",
      what: "A second gzip member behind the first.",
      side: "upstream",
      bot: sends(get(undefined, "Accept-Encoding: gzip\r\n")),
      upstream: {
        steps: [
          { send: `${OK}Content-Encoding: gzip\r\n\r\n` },
          { send: Buffer.concat([gzipSync("first "), gzipSync("second")]) },
          { act: "end" },
        ],
      },
      expect: { bot: "held" },
    },
    {
      name: "event-stream-unasked-length",
      what: "An event that never ends: its bytes leave as they come, and nothing piles up.",
      side: "upstream",
      alone: true,
      bot: [{ send: get() }, { until: "text", text: "data: " }, { act: "pause", ms: 2000 }],
      upstream: {
        steps: [
          { send: `${OK}Content-Type: text/event-stream\r\n\r\ndata: ` },
          { send: "a".repeat(65_536), times: 800 },
        ],
      },
      expect: { bot: "held", mostMemoryMB: 64, leave: true, upstreamClosed: true },
    },
    ...CERTIFICATES.map((certificate): Case => ({
      name: `certificate-${certificate}`,
      what: `Its certificate is ${certificate.replaceAll("-", " ")}: nothing is asked there.`,
      side: "upstream",
      needs: ["upstream-tls"],
      upstream: { certificate, steps: [{ send: `${OK}Content-Length: 2\r\n\r\nok` }] },
      expect: { bot: "refused", most: 0, neverUpstream: ["x-api-key"] },
      codes: ["upstream-untrusted"],
    })),
    {
      name: "tls-old",
      what: "It speaks nothing newer than TLS 1.1.",
      side: "upstream",
      needs: ["upstream-tls"],
      upstream: { version: "TLSv1.1", steps: [{ send: `${OK}Content-Length: 2\r\n\r\nok` }] },
      expect: { bot: "refused", most: 0 },
    },
    {
      name: "alpn-other",
      what: "It speaks none of the protocols that are offered.",
      side: "upstream",
      needs: ["upstream-tls"],
      upstream: { alpn: ["smtp"], steps: [{ send: `${OK}Content-Length: 2\r\n\r\nok` }] },
      expect: { bot: "held", most: 1 },
    },
    {
      name: "rebound",
      what: "A granted name that resolves to this machine's loopback is not dialled.",
      side: "upstream",
      needs: ["identity", "credential"],
      via: { at: "rebound", serverName: "localhost" },
      bot: sends(
        "GET /v1/models/{id} HTTP/1.1\r\nHost: localhost:{port}\r\nx-api-key: {rebound-phantom}\r\n\r\n",
      ),
      expect: { bot: "refused", most: 0 },
      codes: ["address-refused"],
    },
  ],
};
