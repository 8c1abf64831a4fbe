import assert from "node:assert/strict";
import { parseRequest } from "../../../src/broker/http/h1/parseRequest.ts";
import { RequestReader } from "../../adversaries/readRequests.ts";
import type { Fuzzer } from "../Fuzzer.ts";
import { readByNode } from "../nodeParser.ts";

const HEAD = "Host: api.test\r\nx-api-key: k\r\n";
const SEEDS = [
  `GET /v1/models/a?b=c HTTP/1.1\r\n${HEAD}\r\n`,
  `POST /v1/messages HTTP/1.1\r\n${HEAD}Content-Length: 11\r\nConnection: keep-alive\r\n\r\nhello world`,
  `POST /v1/messages HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `GET /a HTTP/1.1\r\n${HEAD}\r\nGET /b HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`,
  `GET /socket HTTP/1.1\r\n${HEAD}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\x81\x80abcd`,
  `PUT /x;a=b/%20 HTTP/1.1\r\n${HEAD}Expect: 100-continue\r\nContent-Length: 0\r\nTE: trailers\r\n\r\n`,
];

/** What our reader of plain requests accepts, Node's parser and the adversaries' strict reader read in the same way. */
export const httpRequest: Fuzzer = {
  name: "http-request",
  what: "a request that parseRequest takes is read alike by Node's parser and by the strictest reading",
  seeds: SEEDS.map((text) => Buffer.from(text, "latin1")),
  words: [
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    " ",
    "\t",
    ":",
    "Content-Length: 5\r\n",
    "Content-Length: ",
    "Transfer-Encoding: chunked\r\n",
    "Host: evil.test\r\n",
    "Connection: close\r\n",
    "Connection: upgrade\r\n",
    "Upgrade: websocket\r\n",
    "HTTP/1.0",
    "HTTP/1.1",
    "GET ",
    "POST ",
    "0",
    "00",
    "+",
    "-",
    "0x",
    ",",
    ";",
    "chunked",
    "\0",
    "\xff",
    "http://",
    "//",
    "/../",
    "%2e",
    "#",
    "\\",
  ],
  check(bytes, random) {
    const parsed = parseRequest(bytes, 0);
    readInPieces(bytes, parsed === "more" ? "more" : typeof parsed, random.pieces(bytes));
    if (parsed === "more" || parsed === "unusual") return;
    const end = parsed.size + (parsed.upgrade ? 0 : parsed.length);
    const own = bytes.subarray(0, end);
    const whole = own.length === end;
    const { messages, error } = readByNode("request", own);
    const [message] = messages;
    if (!parsed.upgrade) assert.equal(error, undefined, "Node refuses it");
    assert.ok(
      message !== undefined && messages.length === 1,
      "Node reads another number of requests",
    );
    assert.equal(message.method, parsed.method);
    assert.equal(message.target, parsed.target);
    assert.equal(message.version, "1.1");
    assert.deepEqual(message.headers, parsed.headers);
    if (!parsed.upgrade) {
      assert.equal(message.complete, whole);
      assert.deepEqual(message.body, own.subarray(parsed.size));
    }
    const strict = new RequestReader(
      () => undefined,
      () => undefined,
    );
    strict.push(own);
    // What is refused later, by its target or its Host's number, is no fault of this reader's.
    if (strict.fault !== undefined && !/target/.test(strict.fault))
      assert.fail(`strictly read: ${strict.fault}`);
    if (strict.fault === undefined) {
      assert.equal(strict.requests.length, 1);
      assert.equal(strict.requests[0]?.target, parsed.target);
      assert.equal(strict.unread, 0);
    }
  },
};

/** However it comes in, what is read at the end is the same; a request is never seen before its head is whole. */
function readInPieces(bytes: Buffer, kind: string, pieces: readonly Buffer[]): void {
  let have = Buffer.alloc(0);
  let searched = 0;
  for (const piece of pieces) {
    have = Buffer.concat([have, piece]);
    if (have.length === 0) continue;
    const parsed = parseRequest(have, searched);
    if (parsed === "unusual") {
      // Told early or late, but told.
      assert.notEqual(kind, "object", "unusual in pieces, not as a whole");
      return;
    }
    if (parsed !== "more") {
      assert.equal(kind, "object", "a request in pieces, not as a whole");
      return;
    }
    searched = Math.max(0, have.length - 3);
  }
  if (bytes.length > 0) assert.notEqual(kind, "object", "no request in pieces");
}
