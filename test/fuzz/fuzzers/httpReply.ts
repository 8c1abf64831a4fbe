import assert from "node:assert/strict";
import { ReplyFault } from "../../../src/broker/http/h1/ReplyFault.ts";
import { ReplyParser, type ParsedHead } from "../../../src/broker/http/h1/ReplyParser.ts";
import type { Fuzzer } from "../Fuzzer.ts";
import { readByNode } from "../nodeParser.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const SEEDS = [
  `${OK}Content-Length: 11\r\nContent-Type: text/plain\r\n\r\nhello world`,
  `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Trailer: x\r\n\r\n`,
  `${OK}Connection: close\r\n\r\nto the end`,
  `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}Content-Length: 0\r\n\r\n`,
  "HTTP/1.1 204 No Content\r\nx: y\r\n\r\n",
  "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
  "HTTP/1.0 404\r\nContent-Length: 2\r\n\r\nno",
  `${OK}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`,
];

interface Told {
  head?: ParsedHead;
  body: Buffer;
  trailers?: readonly (readonly [string, string])[];
  rest: number;
  over: boolean;
  switched: boolean;
  fault: boolean;
}

/** A reply that our parser reads to its end, Node's client would read in the same way; and pieces change nothing. */
export const httpReply: Fuzzer = {
  name: "http-reply",
  what: "a reply that ReplyParser reads is read alike by Node's parser, however it comes in",
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
    "HTTP/1.1 ",
    "HTTP/1.0 ",
    "0\r\n\r\n",
    "5\r\n",
    "ffffffff\r\n",
    "00",
    "+",
    "-",
    "0x",
    ";",
    ",",
    "chunked",
    "identity",
    "gzip",
    "\0",
    "\xff",
    "HTTP/1.1 100 \r\n\r\n",
    "HTTP/1.1 101 \r\n\r\n",
    "Connection: close\r\n",
  ],
  check(bytes, random) {
    const method = random.oneIn(6) ? "HEAD" : "GET";
    const whole = read([bytes], method);
    const pieces = read(random.pieces(bytes), method);
    assert.equal(pieces.fault, whole.fault, "a fault by the way it comes in");
    if (whole.fault || whole.switched) return;
    assert.deepEqual({ ...pieces, rest: 0 }, { ...whole, rest: 0 });
    if (whole.head === undefined || !whole.over) return;
    // Node takes a tab behind `chunked` for a part of it, against RFC 9110 section 5.5.
    if (/chunked *\t/i.test(bytes.toString("latin1"))) return;
    const { messages, error } = readByNode(
      "response",
      bytes.subarray(0, bytes.length - whole.rest),
      { bodiless: method === "HEAD", ended: true },
    );
    // An extension that Node finds malformed is dropped like any other: it means nothing to anybody.
    if (error !== undefined && /\n[0-9a-f]+;/i.test(bytes.toString("latin1"))) return;
    // Nor does an interim answer, by which Node takes the connection for closed (HTTP/1.0, Connection).
    if (error === "HPE_CLOSED_CONNECTION" && (messages[0]?.status ?? 200) < 200) return;
    const message = messages.find(({ status }) => status >= 200);
    // What stands behind the end doesn't count; but up to there Node must agree.
    assert.ok(
      message?.complete === true,
      `Node doesn't read it to its end: ${error ?? "it waits"}`,
    );
    assert.equal(message.status, whole.head.status);
    assert.deepEqual(message.headers, whole.head.headers);
    assert.deepEqual(message.body, whole.body);
    assert.deepEqual(message.trailers, whole.trailers);
  },
};

function read(pieces: readonly Buffer[], method: string): Told {
  const told: Told = { body: Buffer.alloc(0), rest: 0, over: false, switched: false, fault: false };
  const parser = new ReplyParser(
    {
      onHead: (head) => {
        told.head = head;
      },
      onBody: (chunk) => {
        told.body = Buffer.concat([told.body, chunk]);
      },
      onEndOfReply: (trailers, rest) => {
        told.over = true;
        told.trailers = trailers;
        told.rest += rest.length;
      },
      onSwitch: () => {
        told.switched = true;
      },
    },
    { method, upgrade: false },
  );
  try {
    for (const piece of pieces) {
      if (told.over) told.rest += piece.length;
      else if (piece.length > 0) parser.push(piece);
    }
    if (!told.over) parser.end();
  } catch (error) {
    if (!(error instanceof ReplyFault)) throw error;
    told.fault = true;
  }
  return told;
}
