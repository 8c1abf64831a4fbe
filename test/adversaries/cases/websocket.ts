import type { Bytes, Case, Group, Step, UpstreamStep } from "../Case.ts";
import { OPCODE, wsFrame, type FrameOptions } from "../wsBytes.ts";
import { AUTH, sends } from "./http.ts";

const UPGRADE = `GET /v1/socket HTTP/1.1\r\n${AUTH}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;
const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {ws-accept}\r\n\r\n";
const SERVER: FrameOptions = { mask: false };

/** Switched, the client sends these bytes; the server only listens. Nothing of them may reach it unless it is well formed. */
function client(
  name: string,
  what: string,
  bytes: readonly Bytes[],
  more: Partial<Case["expect"]> = {},
  rest: Partial<Case> = {},
): Case {
  const steps: Step[] = [
    { send: `${UPGRADE}\r\n` },
    { until: "text", text: "\r\n\r\n" },
    ...bytes.map((send) => ({ send })),
    { act: "pause", ms: 150 },
  ];
  return {
    name,
    what,
    side: "bot",
    needs: ["websocket"],
    bot: steps,
    upstream: { steps: [{ send: SWITCH }, { until: "closed" }] },
    expect: { bot: "held", most: 1, upstreamClosed: true, leave: true, withinMs: 10_000, ...more },
    ...rest,
  };
}

/** Switched, the server sends these. */
function server(
  name: string,
  what: string,
  steps: readonly UpstreamStep[],
  more: Partial<Case["expect"]> = {},
  rest: Partial<Case> = {},
): Case {
  return {
    name,
    what,
    side: "upstream",
    needs: ["websocket"],
    bot: [
      { send: `${UPGRADE}\r\n` },
      { until: "text", text: "\r\n\r\n" },
      { act: "pause", ms: 200 },
    ],
    upstream: { steps: [{ send: SWITCH }, ...steps] },
    expect: { bot: "held", most: 1, upstreamClosed: true, leave: true, withinMs: 10_000, ...more },
    ...rest,
  };
}

function text(words: string, options: FrameOptions = {}): Bytes {
  return (fill) => wsFrame(fill(words), options);
}

/** A head of an upgrade that nobody should take for one, or that nobody may pass on so. */
function upgrade(
  name: string,
  what: string,
  head: string,
  more: Partial<Case["expect"]> = {},
): Case {
  return {
    name,
    what,
    side: "bot",
    needs: ["websocket"],
    bot: sends(head),
    expect: { bot: "either", ...more },
  };
}

const MARK = "marker-{id}";

export const websocket: Group = {
  name: "websocket",
  cases: [
    {
      name: "control-echo",
      what: "A frame each way arrives.",
      side: "bot",
      needs: ["websocket"],
      bot: [
        { send: `${UPGRADE}\r\n` },
        { until: "text", text: "\r\n\r\n" },
        { send: text(MARK) },
        { until: "text", text: "from the server" },
      ],
      upstream: {
        steps: [
          { send: SWITCH },
          { send: wsFrame("from the server", SERVER) },
          { until: "closed" },
        ],
      },
      expect: {
        bot: "held",
        exactly: 1,
        leave: true,
        botHas: ["from the server"],
        upstreamClosed: true,
      },
    },
    upgrade(
      "no-key",
      "An upgrade without a key.",
      UPGRADE.replace(/Sec-WebSocket-Key[^\n]*\n/, "") + "\r\n",
    ),
    upgrade(
      "key-short",
      "A key that is too short.",
      `${UPGRADE.replace("dGhlIHNhbXBsZSBub25jZQ==", "x")}\r\n`,
    ),
    upgrade(
      "key-twice",
      "Two keys.",
      `${UPGRADE}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    ),
    upgrade("version-old", "Version 8.", `${UPGRADE.replace("13", "8")}\r\n`),
    upgrade("version-twice", "Two versions.", `${UPGRADE}Sec-WebSocket-Version: 8\r\n\r\n`),
    upgrade(
      "post",
      "An upgrade by POST.",
      `${UPGRADE.replace("GET /v1/socket", "POST /v1/messages")}Content-Length: 0\r\n\r\n`,
      { neverUpstream: [/upgrade: websocket/i] },
    ),
    upgrade("body", "An upgrade with a body.", `${UPGRADE}Content-Length: 5\r\n\r\nhello`, {
      neverUpstream: [/upgrade: websocket/i],
    }),
    upgrade(
      "no-connection",
      "Upgrade without Connection.",
      `${UPGRADE.replace("Connection: Upgrade\r\n", "")}\r\n`,
      { neverUpstream: [/upgrade: websocket/i] },
    ),
    upgrade(
      "two-protocols",
      "An upgrade to WebSocket or something else.",
      `${UPGRADE.replace("Upgrade: websocket", "Upgrade: websocket, h2c")}\r\n`,
      { neverUpstream: [/h2c/] },
    ),
    {
      ...upgrade(
        "not-granted",
        "An upgrade at a path that no rule has.",
        `${UPGRADE.replace("/v1/socket", "/v2/socket")}\r\n`,
        { bot: "refused" },
      ),
      needs: ["websocket", "rules"],
    },
    {
      ...upgrade(
        "no-credential",
        "An upgrade without a credential.",
        `${UPGRADE.replace("x-api-key: {phantom}\r\n", "")}\r\n`,
        { bot: "refused" },
      ),
      needs: ["websocket", "credential", "rules"],
    },
    {
      name: "early-frames",
      what: "Frames and a request sent before the answer to the upgrade: if the server refuses, they are no request.",
      side: "bot",
      needs: ["websocket"],
      bot: [{ send: `${UPGRADE}\r\n` }, { send: `GET /smuggled/{id} HTTP/1.1\r\n${AUTH}\r\n` }],
      upstream: { steps: [{ send: "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" }] },
      expect: { bot: "refused", most: 1, neverUpstream: ["/smuggled"] },
    },
    {
      name: "answer-200",
      what: "The server answers an upgrade with 200: the connection isn't one of frames.",
      side: "upstream",
      needs: ["websocket", "rules"],
      bot: [
        { send: `${UPGRADE}\r\n` },
        { until: "answers", count: 1 },
        { send: `GET /smuggled/{id} HTTP/1.1\r\n${AUTH}\r\n` },
      ],
      upstream: { steps: [{ send: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" }] },
      expect: { bot: "held", neverUpstream: ["/smuggled"] },
    },
    server(
      "accept-wrong",
      "A server whose Sec-WebSocket-Accept is wrong.",
      [],
      { neverBot: ["HTTP/1.1 101"] },
      {
        upstream: {
          steps: [
            { send: SWITCH.replace("{ws-accept}", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=") },
            { until: "closed" },
          ],
        },
      },
    ),
    server(
      "accept-missing",
      "A server without Sec-WebSocket-Accept.",
      [],
      { neverBot: ["HTTP/1.1 101"] },
      {
        upstream: {
          steps: [
            { send: SWITCH.replace("Sec-WebSocket-Accept: {ws-accept}\r\n", "") },
            { until: "closed" },
          ],
        },
      },
    ),
    server(
      "extension-unasked",
      "A server that switches on compression which nobody asked for.",
      [],
      { neverBot: ["permessage-deflate"] },
      {
        upstream: {
          steps: [
            {
              send: SWITCH.replace(
                "\r\n\r\n",
                "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
              ),
            },
            { until: "closed" },
          ],
        },
      },
    ),
    server(
      "protocol-odd",
      "A server that switches to another protocol than was asked for.",
      [],
      { neverBot: ["HTTP/1.1 101"] },
      {
        upstream: {
          steps: [
            { send: SWITCH.replace("Upgrade: websocket", "Upgrade: ssh") },
            { until: "closed" },
          ],
        },
      },
    ),

    client("unmasked", "A frame without a mask.", [text(MARK, { mask: false })], {
      neverUpstream: [MARK],
    }),
    client("rsv", "A frame with a reserved bit set.", [text(MARK, { rsv: 2 })]),
    client("rsv-compressed", "A compressed frame with no compression agreed on.", [
      text(MARK, { rsv: 4 }),
    ]),
    client("opcode-reserved", "An opcode that nobody has.", [text(MARK, { opcode: 3 })]),
    client("opcode-control-reserved", "A control opcode that nobody has.", [
      text(MARK, { opcode: 11 }),
    ]),
    client("continuation-first", "A continuation of nothing.", [
      text(MARK, { opcode: OPCODE.CONTINUATION }),
    ]),
    client("text-inside-text", "A new message inside of an unfinished one.", [
      text("a", { fin: false }),
      text(MARK),
    ]),
    client("control-fragmented", "A PING in pieces.", [
      text("a", { opcode: OPCODE.PING, fin: false }),
    ]),
    client("control-long", "A PING of 126 bytes.", [
      text("a".repeat(126), { opcode: OPCODE.PING }),
    ]),
    client("close-one-byte", "A CLOSE of one byte.", [text("a", { opcode: OPCODE.CLOSE })]),
    client("close-code", "A CLOSE with a code that nobody may send.", [
      text("\x03\xed", { opcode: OPCODE.CLOSE }),
    ]),
    client("after-close", "A frame behind a CLOSE.", [
      text("\x03\xe8", { opcode: OPCODE.CLOSE }),
      text(MARK),
    ]),
    client("length-64", "A length of 2^63.", [text("a", { length: 1n << 63n, lengthBytes: 8 })]),
    client("length-63", "A length just below 2^63.", [
      text("a", { length: (1n << 63n) - 1n, lengthBytes: 8 }),
    ]),
    client("length-long-form", "A short length in its long form.", [
      text("abc", { lengthBytes: 8 }),
    ]),
    client("utf8", "Text that is no UTF-8.", [text("\xff\xfe\x80")]),
    client("utf8-cut", "Text whose last letter is cut.", [text("\xe2\x82")]),
    client(
      "frame-huge",
      "A frame of a hundred megabytes is passed on in pieces or refused, not kept.",
      [text("", { length: 100n << 20n, lengthBytes: 8 }), "a"],
      { mostMemoryMB: 64 },
      {
        alone: true,
        bot: [
          { send: `${UPGRADE}\r\n` },
          { until: "text", text: "\r\n\r\n" },
          { send: text("", { length: 100n << 20n, lengthBytes: 8, opcode: OPCODE.BINARY }) },
          { send: "a".repeat(65_536), times: 1600 },
        ],
      },
    ),
    client(
      "text-huge",
      "A text frame of a hundred megabytes.",
      [],
      { mostMemoryMB: 64 },
      {
        alone: true,
        bot: [
          { send: `${UPGRADE}\r\n` },
          { until: "text", text: "\r\n\r\n" },
          { send: text("", { length: 100n << 20n, lengthBytes: 8 }) },
          { send: "a".repeat(65_536), times: 1600 },
        ],
      },
    ),
    client(
      "fragments-flood",
      "A message in a hundred thousand pieces that never ends.",
      [text("a", { fin: false })],
      { mostMemoryMB: 64 },
      {
        alone: true,
        bot: [
          { send: `${UPGRADE}\r\n` },
          { until: "text", text: "\r\n\r\n" },
          { send: text("a", { fin: false }) },
          {
            send: Buffer.concat(
              Array.from({ length: 1000 }, () =>
                wsFrame("aaaaaaaa", { opcode: OPCODE.CONTINUATION, fin: false }),
              ),
            ),
            times: 100,
          },
        ],
      },
    ),
    client(
      "fragments-empty-flood",
      "Empty pieces without end.",
      [],
      { mostMemoryMB: 64 },
      {
        alone: true,
        bot: [
          { send: `${UPGRADE}\r\n` },
          { until: "text", text: "\r\n\r\n" },
          { send: text("", { fin: false }) },
          {
            send: Buffer.concat(
              Array.from({ length: 1000 }, () =>
                wsFrame("", { opcode: OPCODE.CONTINUATION, fin: false }),
              ),
            ),
            times: 100,
          },
        ],
      },
    ),
    client(
      "ping-flood",
      "A hundred thousand PINGs.",
      [],
      { mostMemoryMB: 64 },
      {
        alone: true,
        bot: [
          { send: `${UPGRADE}\r\n` },
          { until: "text", text: "\r\n\r\n" },
          { act: "stop-reading" },
          {
            send: Buffer.concat(
              Array.from({ length: 1000 }, () => wsFrame("12345678", { opcode: OPCODE.PING })),
            ),
            times: 100,
          },
        ],
      },
    ),
    client(
      "foreign-phantom",
      "Another client's stand-in in a frame.",
      [text('{"token":"{foreign-phantom}"}')],
      { neverUpstream: ["{foreign-phantom}"] },
      { needs: ["websocket", "credential", "rules"] },
    ),

    server("server-masked", "The server masks its frames.", [
      { send: wsFrame("hello") },
      { until: "closed" },
    ]),
    server(
      "server-secret",
      "The server sends the credential back in a frame.",
      [{ send: (fill) => wsFrame(fill("key {secret} !"), SERVER) }, { until: "closed" }],
      { neverBot: ["{secret}"] },
      { needs: ["websocket", "credential", "redaction"] },
    ),
    server(
      "server-secret-pieces",
      "The same over two pieces of a message.",
      [
        { send: (fill) => wsFrame(fill("key {secret}").slice(0, 20), { ...SERVER, fin: false }) },
        {
          send: (fill) =>
            wsFrame(fill("key {secret}").slice(20), { ...SERVER, opcode: OPCODE.CONTINUATION }),
        },
        { until: "closed" },
      ],
      { neverBot: [/sk-real-[^]{6,30}/] },
      { needs: ["websocket", "credential", "redaction"] },
    ),
    server(
      "server-secret-binary",
      "The same in a binary frame.",
      [
        { send: (fill) => wsFrame(fill("key {secret} !"), { ...SERVER, opcode: OPCODE.BINARY }) },
        { until: "closed" },
      ],
      { neverBot: ["{secret}"] },
      { needs: ["websocket", "credential", "redaction"] },
    ),
    server(
      "server-secret-close",
      "The same as the reason of a CLOSE.",
      [
        {
          send: (fill) =>
            wsFrame(`\x03\xe8${fill("{secret}")}`, { ...SERVER, opcode: OPCODE.CLOSE }),
        },
        { until: "closed" },
      ],
      { neverBot: ["{secret}"] },
      { needs: ["websocket", "credential", "redaction"] },
    ),
    server(
      "server-secret-ping",
      "The same in a PING.",
      [
        { send: (fill) => wsFrame(fill("{secret}"), { ...SERVER, opcode: OPCODE.PING }) },
        { until: "closed" },
      ],
      { neverBot: ["{secret}"] },
      { needs: ["websocket", "credential", "redaction"] },
    ),
    server(
      "server-secret-head",
      "The credential in the head of the switch.",
      [],
      { neverBot: ["{secret}"] },
      {
        needs: ["websocket", "credential", "redaction"],
        upstream: {
          steps: [
            { send: SWITCH.replace("\r\n\r\n", "\r\nX-Key: {secret}\r\n\r\n") },
            { until: "closed" },
          ],
        },
      },
    ),
    server("server-rsv", "A compressed frame with no compression agreed on.", [
      { send: wsFrame("hello", { ...SERVER, rsv: 4 }) },
      { until: "closed" },
    ]),
    server("server-length-64", "A length of 2^63.", [
      { send: wsFrame("hello", { ...SERVER, length: 1n << 63n, lengthBytes: 8 }) },
      { until: "closed" },
    ]),
    server(
      "server-flood",
      "A frame of a hundred megabytes that the client doesn't read.",
      [
        {
          send: wsFrame("", {
            ...SERVER,
            length: 100n << 20n,
            lengthBytes: 8,
            opcode: OPCODE.BINARY,
          }),
        },
        { send: "a".repeat(65_536), times: 1600 },
      ],
      { mostMemoryMB: 64 },
      {
        alone: true,
        bot: [
          { send: `${UPGRADE}\r\n` },
          { until: "text", text: "\r\n\r\n" },
          { act: "stop-reading" },
          { act: "pause", ms: 1500 },
        ],
      },
    ),
    server("server-http-behind", "HTTP behind the switch instead of frames.", [
      { send: "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison" },
      { until: "closed" },
    ]),
  ],
};
