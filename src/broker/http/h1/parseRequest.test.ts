import assert from "node:assert/strict";
import http, { type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { test } from "node:test";
import * as fc from "fast-check";
import { pairHeaders, type Header } from "../../match.ts";
import { parseRequest } from "./parseRequest.ts";

interface Read {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: string;
}

/** All requests that ours takes, up to the first that it doesn't. */
function readPlain(bytes: Buffer): { readonly requests: Read[]; readonly rest: number } {
  const requests: Read[] = [];
  let at = 0;
  while (at < bytes.length) {
    const parsed = parseRequest(bytes.subarray(at), 0);
    if (typeof parsed === "string") break;
    const start = at + parsed.size;
    if (start + parsed.length > bytes.length) break;
    const { method, target, headers, length } = parsed;
    const body = bytes.toString("latin1", start, start + length);
    requests.push({ method, target, headers, body });
    at = start + length;
    if (!parsed.persistent || parsed.upgrade) break;
  }
  return { requests, rest: bytes.length - at };
}

/** What Node's server makes of the same bytes. */
async function readByNode(bytes: Buffer): Promise<Read[]> {
  const requests: (Omit<Read, "body"> & { body: string })[] = [];
  const server = http.createServer({ requireHostHeader: false, maxHeaderSize: 64 * 1024 });
  server.maxHeadersCount = 0;
  server.on("request", (request: IncomingMessage, response) => {
    const read = {
      method: request.method ?? "",
      target: request.url ?? "",
      headers: pairHeaders(request.rawHeaders),
      body: "",
    };
    requests.push(read);
    request.on("data", (chunk: Buffer) => {
      read.body += chunk.toString("latin1");
    });
    request.on("error", () => undefined);
    request.on("end", () => response.end());
  });
  let read = false;
  const socket = new Duplex({
    read() {
      if (read) return;
      read = true;
      this.push(bytes);
      this.push(null);
    },
    write(_chunk, _encoding, done) {
      done();
    },
  });
  const over = new Promise((resolve) => {
    socket.once("close", resolve);
    server.on("clientError", () => socket.destroy());
  });
  socket.on("error", () => undefined);
  server.emit("connection", socket);
  await over;
  return requests;
}

const GET = "GET /a HTTP/1.1\r\nHost: a.test\r\nX-B: c\r\n\r\n";
const POST = "POST /a?b=c HTTP/1.1\r\nhost:a.test\r\nContent-Length: 5\r\n\r\nhello";

test("parseRequest() reads method, target, headers as sent and the length", () => {
  const parsed = parseRequest(
    Buffer.from("POST /x HTTP/1.1\r\nHost:  a.test\t\r\nX: \r\nx: 2\r\nContent-Length: 12\r\n\r\n"),
    0,
  );
  assert.ok(typeof parsed === "object");
  assert.deepEqual(parsed.headers, [
    ["Host", "a.test"],
    ["X", ""],
    ["x", "2"],
    ["Content-Length", "12"],
  ]);
  assert.equal(parsed.length, 12);
  assert.equal(parsed.persistent, true);
});

const UPGRADE = "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";

test("parseRequest() takes a GET that asks for a WebSocket", () => {
  const parsed = parseRequest(Buffer.from(`GET / HTTP/1.1\r\n${UPGRADE}\r\n`), 0);
  assert.ok(typeof parsed === "object");
  assert.equal(parsed.upgrade, true);
});

const unusual: readonly [string, string][] = [
  ["HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n"],
  ["HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["lower case HTTP", "GET / http/1.1\r\nHost: a\r\n\r\n"],
  ["chunks", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["h2c", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"],
  ["a WebSocket by POST", `POST / HTTP/1.1\r\n${UPGRADE}\r\n`],
  ["a WebSocket with a body", `GET / HTTP/1.1\r\n${UPGRADE}Content-Length: 1\r\n\r\na`],
  ["a WebSocket or something else", `GET / HTTP/1.1\r\n${UPGRADE}Upgrade: h2c\r\n\r\n`],
  [
    "an Upgrade that Connection doesn't name",
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
  ],
  [
    "a Connection that names an Upgrade that isn't there",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n",
  ],
  ["an expectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"],
  ["two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"],
  ["no Host", "GET / HTTP/1.1\r\nX: a\r\n\r\n"],
  ["two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na"],
  ["a signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na"],
  ["an empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\na"],
  ["a folded header", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"],
  ["a blank before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"],
  ["a header without colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"],
  ["a header without name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"],
  ["a bare line feed", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"],
  ["a bare carriage return", "GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n"],
  ["a NUL", "GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n"],
  ["a DEL", "GET / HTTP/1.1\r\nHost: a\r\nX: b\x7fc\r\n\r\n"],
  ["an absolute target", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a tab in the request line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["two blanks in the request line", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a line break before it", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a method of its own", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["another hop's header", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x-b\r\n\r\n"],
  ["a line feed where more could come", "GET / HTTP/1.1\nHost: a\n\n"],
  ["bytes that begin no method", "\x16\x03\x01"],
  ["too long a head", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"b".repeat(40_000)}\r\n\r\n`],
  ["too long a head without end", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"b".repeat(40_000)}`],
  ["too many headers", `GET / HTTP/1.1\r\nHost: a\r\n${"X: b\r\n".repeat(200)}\r\n`],
];
for (const [what, bytes] of unusual) {
  test(`parseRequest() leaves ${what} to others`, () => {
    assert.equal(parseRequest(Buffer.from(bytes, "latin1"), 0), "unusual");
  });
}

test("parseRequest() waits for the whole head, however it is cut", () => {
  const bytes = Buffer.from(GET);
  for (let end = 1; end < bytes.length; end += 1)
    assert.equal(parseRequest(bytes.subarray(0, end), Math.max(0, end - 4)), "more");
  assert.ok(typeof parseRequest(bytes, bytes.length - 4) === "object");
});

test("parseRequest() takes nothing that Node's parser reads in another way", async () => {
  const start = fc.constantFrom(
    "GET / HTTP/1.1\r\nHost: a\r\n",
    "POST / HTTP/1.1\r\nhOST:\tb \r\n",
    "PATCH /%00?#{} HTTP/1.1\r\nHost:\r\n",
  );
  const field = fc.constantFrom(
    "Content-Length: 3\r\n",
    "Content-Length: 03\r\n",
    "Content-Length : 3\r\n",
    "Content_Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding : chunked\r\n",
    "Connection: close\r\n",
    "Connection: Keep-Alive\r\n",
    "Connection: upgrade\r\n",
    "Upgrade: WebSocket\r\n",
    "Upgrade: h2c\r\n",
    "X: \xff\xa0\x85\r\n",
    "!#$%&'*+-.^_`|~: x\r\n",
    "X:y\x0b\r\n",
    " folded\r\n",
    "\n",
    "\r",
    ":",
    "\0",
  );
  const body = fc.constantFrom("", "", "", "abc", "0\r\n\r\n", "\r\n", "\n");
  const piece = fc.oneof(
    fc.constantFrom(GET, POST),
    fc
      .tuple(start, fc.array(field, { maxLength: 3 }), body)
      .map(([first, fields, last]) => `${first}${fields.join("")}\r\n${last}`),
  );
  const mutation = fc.record({
    at: fc.nat({ max: 400 }),
    drop: fc.nat({ max: 3 }),
    put: fc.constantFrom("", "\r", "\n", "\r\n", " ", "\t", ":", "\0", "\x7f", "a", "0", ",", ";"),
  });
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { minLength: 1, maxLength: 4 }),
      fc.array(mutation, { maxLength: 2 }),
      async (pieces, mutations) => {
        let text = pieces.join("");
        for (const { at, drop, put } of mutations) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + put + text.slice(place + drop);
        }
        const bytes = Buffer.from(text, "latin1");
        const { requests } = readPlain(bytes);
        taken += requests.length;
        const byNode = await readByNode(bytes);
        assert.deepEqual(byNode.slice(0, requests.length), requests);
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(taken > 1000, "too few were taken for this to say anything");
});
