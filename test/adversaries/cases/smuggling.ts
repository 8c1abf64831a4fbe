import type { Case, Group } from "../Case.ts";
import { AUTH, get, NEVER_SMUGGLED, post, sends, SMUGGLED } from "./http.ts";

/** Length of the smuggled request with its words filled in isn't known here, so lengths that count are of fixed texts. */
const INNER = "GET /smuggled/x HTTP/1.1\r\nHost: x\r\n\r\n";

/** Refused, or passed on with one reading; what is smuggled never arrives. */
function one(
  name: string,
  what: string,
  text: string,
  more: Partial<Case> & { codes?: readonly string[] } = {},
): Case {
  return {
    name,
    what,
    side: "bot",
    bot: sends(text),
    expect: { bot: "either", neverUpstream: NEVER_SMUGGLED, withinMs: 45_000 },
    ...more,
  };
}

/** Nobody who reads the standard may pass it on. */
function refused(
  name: string,
  what: string,
  text: string,
  codes: readonly string[] = ["framing", "malformed-request"],
): Case {
  return one(name, what, text, {
    expect: { bot: "refused", neverUpstream: NEVER_SMUGGLED, most: 1, withinMs: 45_000 },
    codes,
  });
}

const CHUNKED_SMUGGLED = `0\r\n\r\n${SMUGGLED}`;

export const smuggling: Group = {
  name: "smuggling",
  cases: [
    {
      name: "control-length",
      what: "A plain POST with a Content-Length arrives as it is.",
      side: "bot",
      bot: sends(post("Content-Length: 11\r\n", "hello world")),
      expect: { bot: "served", exactly: 1, upstreamHas: ["hello world"] },
    },
    {
      name: "control-chunked",
      what: "A plain chunked POST arrives with the same body.",
      side: "bot",
      bot: sends(post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")),
      expect: { bot: "served", exactly: 1 },
    },
    {
      name: "control-pipelined",
      what: "Two requests sent at once are two requests, answered in order.",
      side: "bot",
      bot: sends(get("/v1/models/first-{id}") + get("/v1/models/second-{id}")),
      expect: {
        bot: "served",
        answers: 2,
        exactly: 2,
        botHas: [/upstream \/v1\/models\/first[^]*upstream \/v1\/models\/second/],
      },
    },
    refused(
      "cl-te",
      "A length and chunks: one reader takes the length, the next the chunks.",
      post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\nG${SMUGGLED}`),
    ),
    refused(
      "te-cl",
      "Chunks and a length: one reader takes the chunks, the next the length.",
      post(
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        `${INNER.length.toString(16)}\r\n${INNER}\r\n0\r\n\r\n`,
      ),
    ),
    refused(
      "cl-te-zero",
      "Content-Length 0 beside chunks.",
      post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", CHUNKED_SMUGGLED),
    ),
    refused(
      "te-te-identity",
      "Two Transfer-Encodings, the second identity.",
      post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", CHUNKED_SMUGGLED),
    ),
    refused(
      "te-te-same",
      "Transfer-Encoding: chunked twice.",
      post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", CHUNKED_SMUGGLED),
    ),
    refused(
      "te-chunked-chunked",
      "Transfer-Encoding: chunked, chunked.",
      post("Transfer-Encoding: chunked, chunked\r\n", CHUNKED_SMUGGLED),
    ),
    refused(
      "te-chunked-identity",
      "Transfer-Encoding: chunked, identity.",
      post("Transfer-Encoding: chunked, identity\r\n", CHUNKED_SMUGGLED),
    ),
    refused(
      "te-identity-chunked",
      "Transfer-Encoding: identity, chunked.",
      post("Transfer-Encoding: identity, chunked\r\n", CHUNKED_SMUGGLED),
    ),
    refused(
      "te-gzip-chunked",
      "Transfer-Encoding: gzip, chunked.",
      post("Transfer-Encoding: gzip, chunked\r\n", CHUNKED_SMUGGLED),
    ),
    refused(
      "te-identity",
      "Transfer-Encoding: identity with a length.",
      post("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", `hello${SMUGGLED}`),
    ),
    refused(
      "te-xchunked",
      "Transfer-Encoding: xchunked.",
      post("Transfer-Encoding: xchunked\r\n", CHUNKED_SMUGGLED),
    ),
    refused(
      "te-quoted",
      'Transfer-Encoding: "chunked".',
      post('Transfer-Encoding: "chunked"\r\n', CHUNKED_SMUGGLED),
    ),
    refused(
      "te-parameter",
      "Transfer-Encoding: chunked;q=1.",
      post("Transfer-Encoding: chunked;q=1\r\n", CHUNKED_SMUGGLED),
    ),
    refused(
      "te-comma",
      "Transfer-Encoding: ,chunked (an empty list element).",
      post("Transfer-Encoding: ,chunked\r\n", CHUNKED_SMUGGLED),
    ),
    refused(
      "te-empty",
      "An empty Transfer-Encoding with a length.",
      post("Transfer-Encoding:\r\nContent-Length: 5\r\n", `hello${SMUGGLED}`),
    ),
    refused(
      "te-vertical-tab",
      "A vertical tab before chunked.",
      post("Transfer-Encoding: \x0bchunked\r\n", CHUNKED_SMUGGLED),
    ),
    refused(
      "te-nul",
      "A NUL behind chunked.",
      post("Transfer-Encoding: chunked\x00\r\n", CHUNKED_SMUGGLED),
    ),
    refused(
      "te-nbsp",
      "A no-break space (0xA0) before chunked.",
      post("Transfer-Encoding: \xa0chunked\r\n", CHUNKED_SMUGGLED),
    ),
    one(
      "te-case",
      "Transfer-Encoding: CHUNKED is chunked for everybody or refused.",
      post("Transfer-Encoding: CHUNKED\r\n", "5\r\nhello\r\n0\r\n\r\n"),
    ),
    one(
      "te-tab",
      "A tab before chunked is white space.",
      post("Transfer-Encoding:\tchunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
    ),
    one(
      "te-tab-behind",
      "A tab behind chunked, which some take for a part of it.",
      post("Transfer-Encoding: chunked\t\r\n", "5\r\nhello\r\n0\r\n\r\n"),
    ),
    one(
      "te-space-behind",
      "A space behind chunked.",
      post("Transfer-Encoding: chunked \r\n", "5\r\nhello\r\n0\r\n\r\n"),
    ),
    one(
      "cl-tab-behind",
      "A tab behind the length.",
      post("Content-Length: 5\t\r\n", `hello${SMUGGLED}`),
      {
        expect: { bot: "held", most: 1, answers: 2, neverUpstream: NEVER_SMUGGLED },
        needs: ["rules"],
      },
    ),
    refused(
      "te-space-before-colon",
      "White space before the colon of Transfer-Encoding.",
      post("Transfer-Encoding : chunked\r\nContent-Length: 5\r\n", `0\r\n\r\n${SMUGGLED}`),
    ),
    one(
      "te-underscore",
      "Transfer_Encoding beside a length: some servers make an underscore a hyphen.",
      post("Transfer_Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
    ),
    refused(
      "te-folded",
      "Transfer-Encoding on a folded line.",
      post("Transfer-Encoding:\r\n chunked\r\n", CHUNKED_SMUGGLED),
    ),
    refused(
      "te-hidden-in-fold",
      "A folded line that looks like Transfer-Encoding.",
      post("X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", `hello`),
      ["malformed-request", "framing"],
    ),
    refused(
      "te-http10",
      "Chunks in HTTP/1.0, which has none.",
      `POST /v1/messages HTTP/1.0\r\n${AUTH}Transfer-Encoding: chunked\r\n\r\n${CHUNKED_SMUGGLED}`,
      ["malformed-request"],
    ),
    refused(
      "te-behind-lf",
      "A bare LF hides Transfer-Encoding in another field's value.",
      post("X-A: b\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", `0\r\n\r\n`),
    ),
    refused(
      "te-behind-cr",
      "A bare CR hides Transfer-Encoding in another field's value.",
      post("X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", `0\r\n\r\n`),
    ),

    refused(
      "cl-cl-different",
      "Two lengths that differ.",
      post("Content-Length: 5\r\nContent-Length: 0\r\n", `hello${SMUGGLED}`),
    ),
    refused(
      "cl-cl-same",
      "Two lengths that agree.",
      post("Content-Length: 5\r\nContent-Length: 5\r\n", `hello`),
    ),
    refused("cl-list", "Content-Length: 5, 5.", post("Content-Length: 5, 5\r\n", `hello`)),
    refused(
      "cl-list-different",
      "Content-Length: 5, 6.",
      post("Content-Length: 5, 6\r\n", `hello!`),
    ),
    refused("cl-negative", "Content-Length: -1.", post("Content-Length: -1\r\n", SMUGGLED)),
    refused("cl-plus", "Content-Length: +5.", post("Content-Length: +5\r\n", "hello")),
    refused("cl-hex", "Content-Length: 0x5.", post("Content-Length: 0x5\r\n", `hello${SMUGGLED}`)),
    refused("cl-decimal-point", "Content-Length: 5.0.", post("Content-Length: 5.0\r\n", "hello")),
    refused("cl-exponent", "Content-Length: 5e0.", post("Content-Length: 5e0\r\n", "hello")),
    refused(
      "cl-space-inside",
      "Content-Length: 1 1.",
      post("Content-Length: 1 1\r\n", "hello world"),
    ),
    refused("cl-empty", "An empty Content-Length.", post("Content-Length:\r\n", SMUGGLED)),
    refused("cl-letters", "Content-Length: five.", post("Content-Length: five\r\n", "hello")),
    refused("cl-quoted", 'Content-Length: "5".', post('Content-Length: "5"\r\n', "hello")),
    refused(
      "cl-underscores",
      "Content-Length: 1_0.",
      post("Content-Length: 1_0\r\n", "helloworld"),
    ),
    refused(
      "cl-overflow",
      "A length beyond 64 bits.",
      post("Content-Length: 18446744073709551621\r\n", `hello${SMUGGLED}`),
    ),
    refused(
      "cl-arabic-digits",
      "A length in other digits than ASCII's.",
      post("Content-Length: \xd9\xa5\r\n", "hello"),
    ),
    refused(
      "cl-space-before-colon",
      "White space before the colon of Content-Length.",
      post("Content-Length : 5\r\n", `hello${SMUGGLED}`),
    ),
    refused(
      "cl-folded",
      "Content-Length on a folded line.",
      post("Content-Length:\r\n 5\r\n", `hello${SMUGGLED}`),
    ),
    refused("cl-nul", "A NUL inside of the length.", post("Content-Length: 5\x00\r\n", "hello")),
    one(
      "cl-leading-zeros",
      "Content-Length: 0005 is five or refused.",
      post("Content-Length: 0005\r\n", "hello"),
    ),
    one(
      "get-body",
      "A GET with a body: nobody may take the body for a request.",
      `GET /v1/models/{id} HTTP/1.1\r\n${AUTH}Content-Length: ${INNER.length}\r\n\r\n${INNER}`,
      {
        expect: { bot: "either", most: 1, withinMs: 45_000 },
      },
    ),
    one(
      "get-chunked-body",
      "A GET with chunks.",
      `GET /v1/models/{id} HTTP/1.1\r\n${AUTH}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    ),
    one(
      "cl-short",
      "A body longer than its length: the rest is a request of its own, never a part of another.",
      post("Content-Length: 5\r\n", "helloXYZ /v1/models/x HTTP/1.1\r\n\r\n"),
      {
        expect: { bot: "held", most: 1, answers: 2, neverUpstream: ["XYZ"] },
      },
    ),

    refused(
      "chunk-size-hex-prefix",
      "Chunk size 0x5.",
      post("Transfer-Encoding: chunked\r\n", "0x5\r\nhello\r\n0\r\n\r\n"),
    ),
    refused(
      "chunk-size-plus",
      "Chunk size +5.",
      post("Transfer-Encoding: chunked\r\n", "+5\r\nhello\r\n0\r\n\r\n"),
    ),
    refused(
      "chunk-size-negative",
      "Chunk size -5.",
      post("Transfer-Encoding: chunked\r\n", "-5\r\nhello\r\n0\r\n\r\n"),
    ),
    refused(
      "chunk-size-space-before",
      "White space before a chunk size.",
      post("Transfer-Encoding: chunked\r\n", " 5\r\nhello\r\n0\r\n\r\n"),
    ),
    refused(
      "chunk-size-empty",
      "No chunk size at all.",
      post("Transfer-Encoding: chunked\r\n", "\r\nhello\r\n0\r\n\r\n"),
    ),
    refused(
      "chunk-size-empty-extension",
      "An extension without a size.",
      post("Transfer-Encoding: chunked\r\n", ";a=b\r\nhello\r\n0\r\n\r\n"),
    ),
    refused(
      "chunk-size-letters",
      "A chunk size with letters behind the digits.",
      post("Transfer-Encoding: chunked\r\n", "5xyz\r\nhello\r\n0\r\n\r\n"),
    ),
    refused(
      "chunk-size-underscore",
      "Chunk size 0_5.",
      post("Transfer-Encoding: chunked\r\n", "0_5\r\nhello\r\n0\r\n\r\n"),
    ),
    refused(
      "chunk-size-overflow-64",
      "A chunk size that is 5 after 64 bits have overflowed.",
      post("Transfer-Encoding: chunked\r\n", `10000000000000005\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
    ),
    one("chunk-size-overflow-32", "A chunk size that is 5 in 32 bits.", "", {
      bot: [
        { send: post("Transfer-Encoding: chunked\r\n", "100000005\r\nhello\r\n0\r\n\r\n") },
        { act: "half-close" },
      ],
      expect: { bot: "failed" },
    }),
    one("chunk-size-max", "A chunk size of sixteen f.", "", {
      bot: [
        { send: post("Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\nhello\r\n0\r\n\r\n") },
        { act: "half-close" },
      ],
      expect: { bot: "failed" },
    }),
    one(
      "chunk-size-zeros",
      "A chunk size with fifty leading zeros is five or refused.",
      post("Transfer-Encoding: chunked\r\n", `${"0".repeat(50)}5\r\nhello\r\n0\r\n\r\n`),
    ),
    refused(
      "chunk-short",
      "A chunk that is shorter than it says.",
      post("Transfer-Encoding: chunked\r\n", `6\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
    ),
    refused(
      "chunk-long",
      "A chunk that is longer than it says.",
      post("Transfer-Encoding: chunked\r\n", `4\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
    ),
    refused(
      "chunk-lf",
      "Chunk lines that end in a bare LF.",
      post("Transfer-Encoding: chunked\r\n", `5\nhello\n0\n\n${SMUGGLED}`),
    ),
    refused(
      "chunk-lf-size",
      "One chunk size that ends in a bare LF.",
      post("Transfer-Encoding: chunked\r\n", `5\nhello\r\n0\r\n\r\n`),
    ),
    refused(
      "chunk-lf-data",
      "Chunk data that ends in a bare LF.",
      post("Transfer-Encoding: chunked\r\n", `5\r\nhello\n0\r\n\r\n`),
    ),
    refused(
      "chunk-cr-data",
      "Chunk data that ends in a bare CR.",
      post("Transfer-Encoding: chunked\r\n", `5\r\nhello\r0\r\n\r\n`),
    ),
    refused(
      "chunk-spill",
      "Two bytes between chunks that a careless reader skips without looking.",
      post("Transfer-Encoding: chunked\r\n", `5\r\nhelloXX0\r\n\r\n${SMUGGLED}`),
    ),
    refused(
      "chunk-extension-lf",
      "A bare LF inside of a chunk extension.",
      post("Transfer-Encoding: chunked\r\n", `5;\nxx\r\n0\r\n\r\n${SMUGGLED}`),
    ),
    refused(
      "chunk-extension-cr",
      "A bare CR inside of a chunk extension.",
      post("Transfer-Encoding: chunked\r\n", `5;a\rb\r\nhello\r\n0\r\n\r\n`),
    ),
    refused(
      "chunk-extension-nul",
      "A NUL inside of a chunk extension.",
      post("Transfer-Encoding: chunked\r\n", `5;a\x00b\r\nhello\r\n0\r\n\r\n`),
    ),
    one(
      "chunk-extension",
      "A chunk extension is dropped or refused, never passed on.",
      post("Transfer-Encoding: chunked\r\n", "5;a=b\r\nhello\r\n0\r\n\r\n"),
      {
        expect: { bot: "either", neverUpstream: ["a=b"] },
      },
    ),
    one(
      "chunk-extension-quoted",
      "A quoted chunk extension holding line ends.",
      post("Transfer-Encoding: chunked\r\n", `5;a="\r\n0\r\n\r\n"\r\nhello\r\n0\r\n\r\n`),
      {
        expect: { bot: "refused", most: 1 },
      },
    ),
    one("chunk-extension-flood", "A chunk extension of a megabyte.", "", {
      bot: [
        { send: post("Transfer-Encoding: chunked\r\n", "5;") },
        { send: "a".repeat(16_384), times: 64 },
        { send: "\r\nhello\r\n0\r\n\r\n" },
      ],
      expect: { bot: "either", mostUpstreamBytes: 4096 },
    }),
    one("chunk-extension-many", "Ten thousand one-byte chunks, each with an extension.", "", {
      bot: [
        { send: post("Transfer-Encoding: chunked\r\n", "") },
        { send: "1;aaaaaaaaaaaaaaaa\r\nx\r\n".repeat(100), times: 100 },
        { send: "0\r\n\r\n" },
      ],
      expect: { bot: "either", mostUpstreamBytes: 400_000 },
    }),
    refused(
      "chunk-last-not-empty",
      "Something stands behind the last chunk's size.",
      post("Transfer-Encoding: chunked\r\n", `5\r\nhello\r\n0 ${SMUGGLED}`),
    ),
    refused(
      "chunk-end-lf",
      "A bare LF ends the trailers.",
      post("Transfer-Encoding: chunked\r\n", `5\r\nhello\r\n0\r\n\n${SMUGGLED}`),
    ),
    one(
      "trailer-length",
      "A trailer that says a length changes nothing.",
      post("Transfer-Encoding: chunked\r\n", `5\r\nhello\r\n0\r\nContent-Length: 100\r\n\r\n`),
    ),
    one(
      "trailer-host",
      "A trailer that says Host and credential changes nothing.",
      post(
        "Transfer-Encoding: chunked\r\n",
        `5\r\nhello\r\n0\r\nHost: {other-host}\r\nx-api-key: other\r\n\r\n`,
      ),
      {
        expect: { bot: "either", neverUpstream: ["{other-host}"] },
      },
    ),
    refused(
      "trailer-malformed",
      "A trailer that is no field.",
      post(
        "Transfer-Encoding: chunked\r\n",
        `5\r\nhello\r\n0\r\nGET /smuggled/{id} HTTP/1.1\r\n\r\n`,
      ),
    ),
    one("trailer-flood", "Trailers without end.", "", {
      bot: [
        { send: post("Transfer-Encoding: chunked\r\n", "0\r\n") },
        { send: "X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(100), times: 100 },
      ],
      expect: { bot: "refused", most: 1 },
    }),
    {
      name: "expect-continue-smuggle",
      what: "The body is held back for 100 Continue, and a request is sent in its place once it is refused.",
      side: "bot",
      bot: [
        { send: post("Content-Length: 5\r\nExpect: 100-continue\r\n", "") },
        { until: "text", text: "HTTP/1.1" },
        { send: SMUGGLED },
      ],
      expect: { bot: "held", neverUpstream: [/\nGET \/smuggled/, /^GET \/smuggled/], most: 1 },
    },
    {
      name: "expect-odd",
      what: "An expectation that nobody knows is refused or dropped.",
      side: "bot",
      bot: sends(post("Content-Length: 5\r\nExpect: 200-ok\r\n", "hello")),
      expect: { bot: "either", neverUpstream: ["200-ok"] },
    },
    {
      name: "connection-names-length",
      what: "Connection names Content-Length as hop by hop: dropping it would turn the body into a request.",
      side: "bot",
      bot: sends(post(`Connection: content-length\r\nContent-Length: ${INNER.length}\r\n`, INNER)),
      expect: { bot: "either" },
    },
    {
      name: "connection-names-host",
      what: "Connection names Host and the credential as hop by hop.",
      side: "bot",
      bot: sends(get(undefined, "Connection: host, x-api-key, close\r\n")),
      expect: { bot: "either" },
    },
    {
      name: "cut-body",
      what: "A body that is cut in the middle must not look whole to the server.",
      side: "bot",
      bot: [
        { send: post("Content-Length: 100\r\n", "hello") },
        { until: "upstream", count: 1 },
        { act: "reset" },
      ],
      expect: { bot: "failed", upstreamClosed: true },
    },
    {
      name: "cut-chunks",
      what: "A chunked body that is cut in the middle must not get its last chunk from the proxy.",
      side: "bot",
      bot: [
        { send: post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n") },
        { until: "upstream", count: 1 },
        { act: "reset" },
      ],
      expect: { bot: "failed", upstreamClosed: true, neverUpstream: [/\r\n0\r\n\r\n$/] },
    },
  ],
};
