import assert from "node:assert/strict";
import {
  FrameError,
  FrameReader,
  FrameWriter,
  type FrameEvent,
} from "../../../src/broker/websocket/frames.ts";
import { OPCODE, wsFrame } from "../../adversaries/wsBytes.ts";
import type { Fuzzer } from "../Fuzzer.ts";

interface Message {
  readonly kind: string;
  payload: Buffer;
  last: boolean;
}

/** In pieces or as a whole, the same messages; and written anew they are read as the same. */
export const webSocketFrames: Fuzzer = {
  name: "websocket-frames",
  what: "FrameReader reads the same messages however they are cut, and what FrameWriter makes of them is the same again",
  seeds: [
    wsFrame('{"op":2,"d":{"token":"x"}}'),
    Buffer.concat([
      wsFrame("one", { fin: false }),
      wsFrame("ping", { opcode: OPCODE.PING }),
      wsFrame("two", { opcode: OPCODE.CONTINUATION }),
    ]),
    Buffer.concat([wsFrame("a".repeat(130)), wsFrame("\x03\xe8bye", { opcode: OPCODE.CLOSE })]),
    wsFrame("b".repeat(70_000), { opcode: OPCODE.BINARY }).subarray(0, 200),
    wsFrame("", { opcode: OPCODE.BINARY }),
    wsFrame("c", { length: 1n << 62n, lengthBytes: 8 }),
  ],
  words: [
    "\x81\x80",
    "\x81\x85",
    "\x01\x81",
    "\x80\x81",
    "\x88\x80",
    "\x89\xfd",
    "\x82\xfe\x00\x7e",
    "\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00",
    "\x11\x22\x33\x44",
  ],
  check(bytes, random) {
    const whole = read([bytes]);
    const pieces = read(random.pieces(bytes));
    assert.deepEqual(pieces, whole);
    const writer = new FrameWriter(true);
    const again = whole.messages.map(({ kind, payload, last }) => {
      if (kind === "text" || kind === "binary")
        return writer.data(kind === "binary", payload, last);
      return writer.control(Number(kind) as 8 | 9 | 10, payload);
    });
    // A message that isn't over may have control frames behind what has come of it: the order is kept apart.
    const second = read([Buffer.concat(again)]);
    assert.equal(second.error, undefined);
    const told = (messages: readonly Message[]): Message[] =>
      messages.filter(({ payload, last }) => payload.length > 0 || last);
    assert.deepEqual(told(second.messages), told(whole.messages));
  },
};

function read(pieces: readonly Buffer[]): { messages: Message[]; error: number | undefined } {
  const reader = new FrameReader(true);
  const messages: Message[] = [];
  let open: Message | undefined;
  const take = (event: FrameEvent): void => {
    if (event.kind === "control") {
      messages.push({
        kind: String(event.opcode),
        payload: Buffer.from(event.payload),
        last: true,
      });
      return;
    }
    assert.equal(event.first, open === undefined);
    if (open === undefined) {
      open = { kind: event.binary ? "binary" : "text", payload: Buffer.alloc(0), last: false };
      messages.push(open);
    }
    open.payload = Buffer.concat([open.payload, event.payload]);
    open.last = event.last;
    if (event.last) open = undefined;
  };
  try {
    for (const piece of pieces) for (const event of reader.read(Buffer.from(piece))) take(event);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    // What was read before it in the same piece isn't told; that depends on the pieces.
    return { messages: [], error: error.close };
  }
  return { messages, error: undefined };
}
