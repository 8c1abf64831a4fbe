import assert from "node:assert/strict";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { after, test, type TestContext } from "node:test";
import type { RawData, WebSocket } from "ws";
import * as fc from "fast-check";
import { FrameReader, FrameWriter, type FrameEvent } from "./frames.ts";
import { PHANTOM, SECRET, STRANGER, TestRelay } from "./testing/TestRelay.ts";

const relays: TestRelay[] = [];
after(() => {
  for (const relay of relays) relay.stop();
});

/** Real clients and servers, and what the server got. */
async function start(
  t: TestContext,
  more: Parameters<typeof TestRelay.withServer>[1] = {},
  onConnection: (socket: WebSocket) => void = () => undefined,
): Promise<{
  relay: TestRelay;
  bot: WebSocket;
  got: [string, boolean][];
  server: () => Promise<WebSocket>;
}> {
  const got: [string, boolean][] = [];
  const connected: WebSocket[] = [];
  const relay = await TestRelay.withServer((socket) => {
    socket.on("message", (data: Buffer, binary) => got.push([data.toString("latin1"), binary]));
    socket.on("error", () => undefined);
    connected.push(socket);
    onConnection(socket);
  }, more);
  relays.push(relay);
  t.after(() => {
    relay.stop();
  });
  const bot = await relay.connect();
  return {
    relay,
    bot,
    got,
    server: async () => {
      while (connected[0] === undefined) await new Promise((resolve) => setImmediate(resolve));
      return connected[0];
    },
  };
}

async function message(socket: WebSocket): Promise<string> {
  const [data] = (await once(socket, "message")) as [RawData];
  return (data as Buffer).toString("latin1");
}

async function closeOf(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(socket, "close")) as [number, Buffer];
  return { code, reason: reason.toString() };
}

const identify = (token: string, more: object = {}): string =>
  JSON.stringify({ op: 2, d: { token, intents: 513, ...more } });

test("relayWebSocket() puts the secret into IDENTIFY, RESUME and authentication_challenge, and nowhere else", async (t) => {
  const { bot, got, relay, server } = await start(t);
  const upstream = await server();
  const resume = { op: 6, d: { token: PHANTOM, session_id: "s", seq: 1 } };
  const challenge = { seq: 1, action: "authentication_challenge", data: { token: PHANTOM } };
  const other = { op: 3, d: { token: PHANTOM, note: PHANTOM } };
  for (const each of [JSON.parse(identify(PHANTOM, { note: PHANTOM })), resume, challenge, other])
    bot.send(JSON.stringify(each));
  bot.close(1000, "bye");
  assert.equal((await closeOf(upstream)).code, 1000);
  const put = (text: string): string => text.replace(PHANTOM, SECRET);
  assert.deepEqual(got, [
    [put(identify(PHANTOM, { note: PHANTOM })), false],
    [put(JSON.stringify(resume)), false],
    [put(JSON.stringify(challenge)), false],
    [JSON.stringify(other), false],
  ]);
  const end = await relay.end();
  assert.equal(end.outcome, "done");
  assert.equal(
    end.bytesOut,
    got.reduce((sum, [text]) => sum + text.length, 0),
  );
});

test("relayWebSocket() replaces the secret in what the upstream sends, in texts, binaries, pings and reasons", async (t) => {
  const { bot, server, relay } = await start(t);
  const upstream = await server();
  upstream.send(JSON.stringify({ token: SECRET }));
  assert.equal(await message(bot), JSON.stringify({ token: PHANTOM }));
  upstream.send(Buffer.from(`\xff${SECRET}\0`, "latin1"));
  assert.equal(await message(bot), `\xff${PHANTOM}\0`);
  upstream.send(Buffer.from(`Bot ${SECRET}`).toString("base64"));
  assert.ok(
    !Buffer.from(await message(bot), "base64")
      .toString()
      .includes(SECRET),
  );
  const pinged = once(bot, "ping") as Promise<[Buffer]>;
  upstream.ping(SECRET);
  assert.equal((await pinged)[0].toString(), PHANTOM);
  const closing = closeOf(bot);
  upstream.close(4004, `bad ${SECRET}`);
  assert.deepEqual(await closing, { code: 4004, reason: `bad ${PHANTOM}` });
  assert.equal((await relay.end()).outcome, "done");
});

test("relayWebSocket() finds a secret across frames and fragments, however small", async (t) => {
  const { bot, server } = await start(t);
  const upstream = await server();
  for (const text of [`a${SECRET}b`, SECRET, SECRET.slice(0, -1)]) {
    for (const [index, char] of text.split("").entries())
      upstream.send(char, { fin: index === text.length - 1 });
    assert.equal(await message(bot), text.replace(SECRET, PHANTOM));
  }
});

test("relayWebSocket() asks for no extension though both sides would take one", async (t) => {
  const { bot, relay, server } = await start(t);
  await server();
  assert.equal(bot.extensions, "");
  assert.equal(relay.handshakes[0]?.["sec-websocket-extensions"], undefined);
});

test("relayWebSocket() streams a message of many megabytes both ways without collecting it", async (t) => {
  const { bot, server, relay } = await start(t);
  const upstream = await server();
  upstream.on("message", (data: Buffer) => {
    upstream.send(data);
  });
  const large = Buffer.alloc(20 * 1024 * 1024, "0123456789abcde");
  bot.send(large);
  const [back] = (await once(bot, "message")) as [Buffer];
  assert.ok(back.equals(large));
  bot.close();
  const end = await relay.end();
  assert.deepEqual([end.bytesOut, end.bytesIn], [large.length, large.length]);
});

test("relayWebSocket() collects a message with a credential that comes in fragments and pings between", async (t) => {
  const { bot, server, got } = await start(t);
  const upstream = await server();
  const text = identify(PHANTOM);
  bot.send(text.slice(0, 20), { fin: false });
  bot.ping("between");
  bot.send(text.slice(20, 21), { fin: false });
  bot.send(text.slice(21));
  await once(upstream, "message");
  assert.deepEqual(got, [[identify(SECRET), false]]);
});

const refused: readonly [string, string | Buffer, string, number][] = [
  ["another credential in a place", identify("MTIz.mallory"), "foreign-credential", 1008],
  ["the phantom with something after it", identify(`${PHANTOM}x`), "foreign-credential", 1008],
  ["a number in a place", '{"op":2,"d":{"token":5}}', "foreign-credential", 1008],
  ["another bot's phantom in a place", identify(STRANGER), "foreign-phantom-in-body", 1008],
  [
    "another bot's phantom in a text",
    `{"op":1,"d":"${STRANGER}"}`,
    "foreign-phantom-in-body",
    1008,
  ],
  [
    "another bot's phantom in a binary",
    Buffer.from(`\0${STRANGER}`),
    "foreign-phantom-in-body",
    1008,
  ],
  [
    "a binary that is another credential",
    Buffer.from(` ${identify("x")}`),
    "foreign-credential",
    1008,
  ],
  ["a key twice", `{"op":2,"d":{"token":"${PHANTOM}","token":"x"}}`, "body-unreadable", 1007],
  ["an escaped key twice", `{"op":1,"\\u006fp":2,"d":{"token":"x"}}`, "body-unreadable", 1007],
  ["a text that isn't JSON", "hello", "body-unreadable", 1007],
  ["a byte order mark before a message", `\ufeff${identify("x")}`, "body-unreadable", 1007],
  ["an opcode as a string", '{"op":"2","d":{"token":"x"}}', "credential-ambiguous", 1008],
  ["a key in another case", '{"OP":2,"d":{"token":"x"}}', "credential-ambiguous", 1008],
  [
    "a second key in another case",
    `{"op":2,"d":{"token":"${PHANTOM}","Token":"x"}}`,
    "credential-ambiguous",
    1008,
  ],
  [
    "the action in another case",
    '{"action":"Authentication_Challenge","data":{"token":"x"}}',
    "credential-ambiguous",
    1008,
  ],
  ["a list of messages", `[${identify("x")}]`, "credential-ambiguous", 1008],
  [
    "more than a mebibyte",
    JSON.stringify({ op: 2, d: "x".repeat(1024 * 1024) }),
    "body-too-large",
    1009,
  ],
];
for (const [what, sent, code, close] of refused) {
  test(`relayWebSocket() refuses ${what}`, async (t) => {
    const { bot, relay, server, got } = await start(t);
    const upstream = await server();
    const left = closeOf(upstream);
    bot.send(sent);
    const told = await closeOf(bot);
    assert.equal(told.code, close);
    assert.equal(told.reason, code);
    assert.deepEqual(got, []);
    const end = await relay.end();
    assert.deepEqual([end.outcome, end.code], ["refused", code]);
    assert.ok([1001, 1006].includes((await left).code));
  });
}

test("relayWebSocket() cuts a streamed message in which another bot's phantom comes, before it has left", async (t) => {
  const { bot, relay, server, got } = await start(t, { places: [] });
  await server();
  bot.send("any text ", { fin: false });
  for (const char of STRANGER) bot.send(char, { fin: false });
  assert.equal((await closeOf(bot)).code, 1008);
  const end = await relay.end();
  assert.equal(end.code, "foreign-phantom-in-body");
  assert.ok(end.bytesOut < "any text ".length + STRANGER.length);
  assert.deepEqual(got, []);
});

test("relayWebSocket() passes texts of any kind where no place is in frames", async (t) => {
  const { bot, server, got } = await start(t, { places: [] });
  const upstream = await server();
  bot.send(`hello ${PHANTOM}`);
  await once(upstream, "message");
  assert.deepEqual(got, [[`hello ${PHANTOM}`, false]]);
});

/** A frame by hand. */
function frame(
  first: number,
  payload: Buffer | string,
  { mask = true, length, bytes }: { mask?: boolean; length?: number; bytes?: 1 | 2 | 8 } = {},
): Buffer {
  const data = Buffer.from(payload);
  const size = length ?? data.length;
  const wide = bytes ?? (size < 126 ? 1 : size < 65536 ? 2 : 8);
  const head = Buffer.alloc(2 + (wide === 1 ? 0 : wide));
  head[0] = first;
  head[1] = (mask ? 0x80 : 0) | (wide === 1 ? size : wide === 2 ? 126 : 127);
  if (wide === 2) head.writeUInt16BE(size, 2);
  if (wide === 8) head.writeBigUInt64BE(BigInt(size), 2);
  const key = Buffer.from([1, 2, 3, 4]);
  if (!mask) return Buffer.concat([head, data]);
  return Buffer.concat([head, key, data.map((byte, index) => byte ^ (key[index & 3] ?? 0))]);
}

/** Reads frames until the connection ends. */
async function framesOf(socket: Duplex, masked: boolean): Promise<FrameEvent[]> {
  const reader = new FrameReader(masked);
  const events: FrameEvent[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) events.push(...reader.read(chunk));
  return events;
}

const closeCode = (events: readonly FrameEvent[]): number | undefined => {
  const last = events.at(-1);
  return last?.kind === "control" && last.opcode === 8 && last.payload.length >= 2
    ? last.payload.readUInt16BE(0)
    : undefined;
};

const malformed: readonly [string, Buffer, number][] = [
  ["an unmasked frame", frame(0x81, "{}", { mask: false }), 1002],
  ["a reserved bit", frame(0xc1, "{}"), 1002],
  ["another reserved bit", frame(0x91, "{}"), 1002],
  ["an unknown opcode", frame(0x83, "{}"), 1002],
  ["an unknown control opcode", frame(0x8b, ""), 1002],
  ["a continuation of nothing", frame(0x80, "{}"), 1002],
  ["a message within a message", Buffer.concat([frame(0x01, "{"), frame(0x81, "}")]), 1002],
  ["a ping in pieces", frame(0x09, "x"), 1002],
  ["a ping of 126 bytes", frame(0x89, "x".repeat(126)), 1002],
  ["a length in two bytes that takes one", frame(0x81, "{}", { bytes: 2 }), 1002],
  ["a length in eight bytes that takes two", frame(0x81, "x".repeat(200), { bytes: 8 }), 1002],
  ["a length of 2^63", frame(0x82, "", { length: 2 ** 63, bytes: 8 }), 1002],
  ["a Close of one byte", frame(0x88, "x"), 1002],
  ["a Close by 1005", frame(0x88, Buffer.from([3, 237])), 1002],
  ["a Close by 999", frame(0x88, Buffer.from([3, 231])), 1002],
  ["a Close whose reason isn't UTF-8", frame(0x88, Buffer.from([3, 232, 255])), 1007],
  ["a text that isn't UTF-8", frame(0x81, Buffer.from([0x22, 0xff, 0x22])), 1007],
];
for (const [what, bytes, code] of malformed) {
  test(`relayWebSocket() closes on ${what} from the bot`, async (t) => {
    const { relay, got } = await start(t);
    const bot = await relay.raw();
    bot.write(bytes);
    assert.equal(closeCode(await framesOf(bot, false)), code);
    const end = await relay.ends[1];
    assert.equal(end?.outcome, "refused");
    assert.deepEqual(got, []);
  });
}

test("relayWebSocket() streams a text that isn't UTF-8 only as far as it is", async (t) => {
  const { relay } = await start(t, { places: [] });
  const bot = await relay.raw();
  bot.write(frame(0x01, Buffer.from([0xe2, 0x82])));
  bot.write(frame(0x00, Buffer.from([0xac, 0xe2])));
  bot.write(frame(0x80, ""));
  assert.equal(closeCode(await framesOf(bot, false)), 1007);
});

const badUpstream: readonly [string, Buffer][] = [
  ["a masked frame", frame(0x81, "{}")],
  ["a reserved bit", frame(0xc1, "{}", { mask: false })],
  ["a ping of 126 bytes", frame(0x89, "x".repeat(126), { mask: false })],
  ["a text that isn't UTF-8", frame(0x81, Buffer.from([0xff]), { mask: false })],
  ["a Close by 1006", frame(0x88, Buffer.from([3, 238]), { mask: false })],
];
for (const [what, bytes] of badUpstream) {
  test(`relayWebSocket() closes on ${what} from the upstream`, async (t) => {
    const relay = await TestRelay.start((socket) => {
      socket.on("error", () => undefined);
      socket.write(
        "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
      );
      socket.write(bytes);
      socket.resume();
      socket.on("end", () => socket.end());
    });
    t.after(() => {
      relay.stop();
    });
    const bot = await relay.raw();
    const events = await framesOf(bot, false);
    assert.equal(closeCode(events), 1014);
    assert.equal(events.length, 1);
    const end = await relay.end();
    assert.deepEqual([end.outcome, end.code], ["upstream-error", "upstream-protocol"]);
  });
}

for (const [what, bytes] of [
  ["pings", frame(0x89, "")],
  ["pongs", frame(0x8a, "x")],
  ["empty pieces of a message", frame(0x00, "")],
] as const) {
  test(`relayWebSocket() bounds ${what}`, async (t) => {
    const { relay } = await start(t, { places: [], limits: { controlsPerSecond: 20 } });
    const bot = await relay.raw();
    if (what.startsWith("empty")) bot.write(frame(0x01, ""));
    bot.write(Buffer.concat(Array.from({ length: 5000 }, () => bytes)));
    assert.equal(closeCode(await framesOf(bot, false)), 1008);
    assert.equal((await relay.ends[1])?.code, "websocket-invalid");
  });
}

test("relayWebSocket() passes pings and pongs both ways", async (t) => {
  const { bot, server } = await start(t);
  const upstream = await server();
  const ponged = once(bot, "pong") as Promise<[Buffer]>;
  bot.ping("there?");
  assert.equal((await ponged)[0].toString(), "there?");
  const back = once(upstream, "pong") as Promise<[Buffer]>;
  upstream.ping("and you?");
  assert.equal((await back)[0].toString(), "and you?");
});

test("relayWebSocket() passes a Close by the bot on, and the answer back", async (t) => {
  const { bot, server, relay } = await start(t);
  const upstream = await server();
  const seen = closeOf(upstream);
  const answered = closeOf(bot);
  bot.close(4321, "enough");
  assert.deepEqual(await seen, { code: 4321, reason: "enough" });
  assert.equal((await answered).code, 4321);
  assert.deepEqual(await relay.end(), { outcome: "done", bytesOut: 0, bytesIn: 0 });
});

test("relayWebSocket() ends the other side when one is gone without a Close", async (t) => {
  const first = await start(t);
  const gone = closeOf(await first.server());
  first.bot.terminate();
  assert.equal((await gone).code, 1006);
  assert.equal((await first.relay.end()).outcome, "client-abort");

  const second = await start(t);
  const upstream = await second.server();
  const left = closeOf(second.bot);
  upstream.terminate();
  assert.equal((await left).code, 1006);
  assert.equal((await second.relay.end()).outcome, "upstream-error");
});

test("relayWebSocket() gives up on a side that never answers a Close", async (t) => {
  const relay = await TestRelay.start(
    (socket) => {
      socket.on("error", () => undefined);
      socket.write(
        "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
      );
      socket.pause();
    },
    { limits: { closeMs: 50 } },
  );
  t.after(() => {
    relay.stop();
  });
  const bot = await relay.raw();
  bot.write(frame(0x88, ""));
  bot.resume();
  await once(bot, "close");
  assert.equal((await relay.end()).outcome, "done");
});

test("relayWebSocket() passes nothing on of what comes after a Close", async (t) => {
  const { relay, got, server } = await start(t);
  await server();
  const bot = await relay.raw();
  bot.write(Buffer.concat([frame(0x88, ""), frame(0x81, identify("x")), frame(0x81, "{}")]));
  bot.resume();
  assert.equal((await relay.ends[1])?.outcome, "done");
  assert.deepEqual(got, []);
});

test("relayWebSocket() is ended from outside with a code", async (t) => {
  const cut = new AbortController();
  const { bot, relay, server } = await start(t, { cut: cut.signal });
  const upstream = await server();
  const left = closeOf(upstream);
  const told = closeOf(bot);
  cut.abort("grant-withdrawn");
  assert.deepEqual(await told, { code: 1008, reason: "grant-withdrawn" });
  assert.equal((await left).code, 1001);
  const end = await relay.end();
  assert.deepEqual([end.outcome, end.code], ["refused", "grant-withdrawn"]);
});

test("FrameReader reads what FrameWriter writes, however it is cut", () => {
  const piece = fc.record({
    payload: fc.uint8Array({ maxLength: 300 }),
    last: fc.boolean(),
    control: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.boolean(),
      fc.array(piece, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
      (masked, binary, pieces, sizes) => {
        const writer = new FrameWriter(masked);
        const reader = new FrameReader(masked);
        const parts: Buffer[] = [];
        const sent: number[] = [];
        const controls: number[] = [];
        for (const { payload, last, control } of pieces) {
          if (control) {
            parts.push(writer.control(9, Buffer.from(payload)));
            controls.push(...payload.subarray(0, 125));
          } else {
            parts.push(writer.data(binary, Buffer.from(payload), last));
            sent.push(...payload);
          }
        }
        const bytes = Buffer.concat(parts);
        const got: number[] = [];
        const pinged: number[] = [];
        let at = 0;
        for (let turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          for (const event of reader.read(bytes.subarray(at, at + size))) {
            if (event.kind === "control") pinged.push(...event.payload);
            else {
              got.push(...event.payload);
              assert.equal(event.binary, binary);
            }
          }
          at += size;
        }
        assert.deepEqual(got, sent);
        assert.deepEqual(pinged, controls);
        const data = pieces.filter(
          ({ control, payload, last }) => !control && (payload.length > 0 || last),
        );
        assert.equal(reader.inMessage, data.length > 0 && data.at(-1)?.last === false);
      },
    ),
    { numRuns: 500 },
  );
});
