import type { Bytes, Case, Group, Step } from "../Case.ts";
import { block, FLAG, frame, headers, settings, START, TYPE, type Field } from "../h2/frames.ts";

const PSEUDO: readonly Field[] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":authority", "{host}"],
  [":path", "/v1/models/{id}"],
];
const KEY: Field = ["x-api-key", "{phantom}"];
const GOOD: readonly Field[] = [...PSEUDO, KEY];
const POST: readonly Field[] = [
  [":method", "POST"],
  [":scheme", "https"],
  [":authority", "{host}"],
  [":path", "/v1/messages"],
  KEY,
];
const OPEN = FLAG.END_HEADERS;

/** A request's HEADERS once the words are filled in. */
function ask(
  fields: readonly Field[],
  stream = 1,
  flags: number = FLAG.END_HEADERS | FLAG.END_STREAM,
): Bytes {
  return (fill) =>
    headers(
      stream,
      fields.map(([name, value]): Field => [fill(name), fill(value)]),
      flags,
    );
}

function data(text: string, stream = 1, flags: number = FLAG.END_STREAM): Bytes {
  return (fill) => frame(TYPE.DATA, flags, stream, fill(text));
}

/** The preface and these bytes, one after the other. */
function speaks(...bytes: readonly Bytes[]): readonly Step[] {
  return [{ send: START }, ...bytes.map((send) => ({ send }))];
}

function h2(
  name: string,
  what: string,
  bot: readonly Step[],
  more: Partial<Case["expect"]> = {},
  rest: Partial<Case> = {},
): Case {
  return {
    name,
    what,
    side: "bot",
    needs: ["h2"],
    bot,
    expect: { bot: "refused", ...more },
    ...rest,
  };
}

/** A whole request with these fields; nobody may pass it on as it is. */
function fields(
  name: string,
  what: string,
  list: readonly Field[],
  more: Partial<Case["expect"]> = {},
): Case {
  return h2(name, what, speaks(ask(list)), more);
}

function without(name: string): readonly Field[] {
  return GOOD.filter(([key]) => key !== name);
}

function replaced(name: string, value: string): readonly Field[] {
  return GOOD.map((field): Field => (field[0] === name ? [name, value] : field));
}

/** Frames that break the protocol, behind a good request's opening or alone. */
function frames(name: string, what: string, ...bytes: readonly Bytes[]): Case {
  return h2(name, what, speaks(...bytes), { most: 1, bot: "held" });
}

const EITHER = { bot: "either" } as const;
/**
 * A field that is none makes the request malformed (RFC 9113 section 8.2.1). nghttp2 leaves such a field
 * out by itself, so that nobody behind it ever sees it: what must not be is that it goes on.
 */
function notSent(text: string): Partial<Case["expect"]> {
  return { bot: "either", neverUpstream: [text] };
}
const SMUGGLED = "GET /smuggled/{id} HTTP/1.1\r\nHost: {host}\r\n\r\n";
const NOT_SMUGGLED = { bot: "either", neverUpstream: [/(^|\n)GET \/smuggled/] } as const;

/** Fills the dynamic table with one large entry, and then names it over and over: a small block, a huge head. */
const HPACK_BOMB: Bytes = (fill) => {
  const good = GOOD.map(([name, value]): Field => [fill(name), fill(value)]);
  const entry = Buffer.concat([
    Buffer.from([0x40, 1, 97]),
    Buffer.from([0x7f, 0x81, 0x1e]),
    Buffer.alloc(4000, 98),
  ]);
  return frame(
    TYPE.HEADERS,
    FLAG.END_HEADERS | FLAG.END_STREAM,
    1,
    Buffer.concat([block(good), entry, Buffer.alloc(12_000, 0xbe)]),
  );
};

const PAIRS_BAD: readonly (readonly [name: string, what: string, id: number, value: number])[] = [
  ["settings-push-2", "ENABLE_PUSH is 2.", 2, 2],
  ["settings-window-huge", "INITIAL_WINDOW_SIZE beyond 31 bits.", 4, 0xffffffff],
  ["settings-frame-small", "MAX_FRAME_SIZE of 1.", 5, 1],
  ["settings-frame-huge", "MAX_FRAME_SIZE beyond 24 bits.", 5, 0xffffffff],
];

export const h2cases: Group = {
  name: "h2",
  cases: [
    h2("control-get", "A plain GET is served.", speaks(ask(GOOD)), { bot: "served", exactly: 1 }),
    h2(
      "control-post",
      "A plain POST is served, its body whole.",
      speaks(ask(POST, 1, OPEN), data("hello world")),
      { bot: "served", exactly: 1, upstreamHas: ["hello"] },
    ),
    h2("control-two", "Two streams are two requests.", speaks(ask(GOOD, 1), ask(GOOD, 3)), {
      bot: "served",
      answers: 2,
      exactly: 2,
    }),
    h2(
      "control-unknown-frame",
      "A frame of a kind nobody knows is skipped.",
      speaks(frame(0x7b, 0, 0, "x"), ask(GOOD)),
      { bot: "served", exactly: 1 },
    ),
    h2(
      "cookies-in-pieces",
      "Cookies in pieces are one cookie, or refused as another credential.",
      speaks(ask([...GOOD, ["cookie", "a=1"], ["cookie", "b=2"]])),
      { bot: "either", neverUpstream: [/cookie: a=1\r/i, /cookie: b=2/i] },
    ),

    fields("no-method", "No :method.", without(":method")),
    fields("no-path", "No :path.", without(":path")),
    fields("no-scheme", "No :scheme.", without(":scheme")),
    fields("no-authority", "Neither :authority nor host.", without(":authority")),
    fields(
      "authority-by-host",
      "Host in place of :authority: the same host, or refused.",
      [...without(":authority"), ["host", "{host}"]],
      EITHER,
    ),
    fields("authority-other", "Another host's :authority.", replaced(":authority", "{other-host}")),
    fields(
      "authority-userinfo",
      "A name before an @ in :authority.",
      replaced(":authority", "{host}@evil.test"),
    ),
    fields("authority-path", "A path in :authority.", replaced(":authority", "{host}/evil")),
    fields(
      "authority-crlf",
      "A line end in :authority.",
      replaced(":authority", "{host}\r\nX-Evil: 1"),
    ),
    fields("authority-space", "A space in :authority.", replaced(":authority", "{host} evil.test")),
    fields("authority-host-differ", ":authority and host disagree.", [
      ...GOOD,
      ["host", "evil.test"],
    ]),
    fields("authority-host-twice", ":authority and two hosts.", [
      ...GOOD,
      ["host", "{host}"],
      ["host", "evil.test"],
    ]),
    fields("authority-empty", "An empty :authority.", replaced(":authority", "")),
    fields("twice-path", ":path twice.", [...PSEUDO, [":path", "/admin"], KEY]),
    fields("twice-method", ":method twice.", [...PSEUDO, [":method", "DELETE"], KEY]),
    fields("twice-authority", ":authority twice.", [...PSEUDO, [":authority", "evil.test"], KEY]),
    fields("twice-scheme", ":scheme twice.", [...PSEUDO, [":scheme", "http"], KEY]),
    fields("pseudo-late", "A pseudo field behind a plain one.", [
      ...without(":path"),
      [":path", "/v1/models/{id}"],
    ]),
    fields("pseudo-unknown", "A pseudo field that nobody knows.", [...PSEUDO, [":evil", "1"], KEY]),
    fields("pseudo-status", "A pseudo field of answers.", [...PSEUDO, [":status", "200"], KEY]),
    fields("pseudo-protocol", "Extended CONNECT that nobody has offered.", [
      ...replaced(":method", "CONNECT"),
      [":protocol", "websocket"],
    ]),
    fields("connect", "CONNECT at a server that is no proxy.", [
      [":method", "CONNECT"],
      [":authority", "evil.test:443"],
      KEY,
    ]),
    fields("trace", "TRACE.", replaced(":method", "TRACE")),
    fields(
      "method-space",
      "A method that holds a whole request line.",
      replaced(":method", "GET /admin HTTP/1.1\r\nX: y"),
    ),
    fields("method-lower", "A method in lower case.", replaced(":method", "get")),
    fields("method-empty", "An empty method.", replaced(":method", "")),
    fields("path-empty", "An empty path.", replaced(":path", "")),
    fields("path-relative", "A path without a slash.", replaced(":path", "v1/models/x")),
    fields(
      "path-absolute",
      "A whole URL for a path.",
      replaced(":path", "https://evil.test/v1/models/x"),
    ),
    fields("path-asterisk", "An asterisk for a path.", replaced(":path", "*")),
    fields(
      "path-crlf",
      "A line end in the path: a second request in the target.",
      replaced(":path", "/v1/models/x HTTP/1.1\r\nHost: x\r\n\r\nGET /smuggled/{id}"),
      NOT_SMUGGLED,
    ),
    fields("path-space", "A space in the path.", replaced(":path", "/v1/models/x /admin")),
    fields("path-nul", "A NUL in the path.", replaced(":path", "/v1/models/x\x00")),
    fields("path-dots", "Dot segments.", replaced(":path", "/v1/models/../../admin"), {
      bot: "held",
      neverUpstream: [" /admin"],
    }),
    fields("path-fragment", "A fragment.", replaced(":path", "/v1/models/x#/admin")),
    fields(
      "path-double-slash",
      "Two slashes and a host.",
      replaced(":path", "//evil.test/v1/models/x"),
    ),
    fields("path-backslash", "Backslashes.", replaced(":path", "/v1/models\\..\\..\\admin")),
    fields("scheme-http", "The scheme says http.", replaced(":scheme", "http"), EITHER),
    fields(
      "scheme-odd",
      "The scheme holds a URL.",
      replaced(":scheme", "https://evil.test/?"),
      EITHER,
    ),
    fields("name-upper", "A field name in upper case.", [...GOOD, ["X-A", "b"]]),
    fields("name-empty", "An empty field name.", [...GOOD, ["", "b"]], EITHER),
    fields("name-colon", "A colon in a field name.", [...GOOD, ["x:y", "b"]], notSent("x:y")),
    fields("name-space", "A space in a field name.", [...GOOD, ["x y", "b"]], notSent("x y")),
    fields(
      "name-crlf",
      "A line end in a field name.",
      [...GOOD, ["x: y\r\nx-evil", "b"]],
      notSent("x-evil"),
    ),
    fields(
      "name-smuggled-te",
      "Transfer-Encoding inside of a field name.",
      [...GOOD, ["x: y\r\ntransfer-encoding", "chunked"]],
      notSent("chunked"),
    ),
    fields(
      "value-crlf",
      "A line end in a value.",
      [...GOOD, ["x-a", "b\r\nx-evil: 1"]],
      notSent("x-evil"),
    ),
    fields(
      "value-lf",
      "A bare LF in a value.",
      [...GOOD, ["x-a", "b\nx-evil: 1"]],
      notSent("x-evil"),
    ),
    fields(
      "value-cr",
      "A bare CR in a value.",
      [...GOOD, ["x-a", "b\rx-evil: 1"]],
      notSent("x-evil"),
    ),
    fields("value-nul", "A NUL in a value.", [...GOOD, ["x-nul", "b\x00c"]], notSent("x-nul")),
    fields(
      "value-space",
      "White space around a value: trimmed or refused.",
      [...GOOD, ["x-a", " b "]],
      EITHER,
    ),
    fields(
      "value-request",
      "A whole request in a value.",
      [...GOOD, ["x-a", `b\r\n\r\n${SMUGGLED}`]],
      NOT_SMUGGLED,
    ),
    fields("connection", "Connection, which HTTP/2 hasn't.", [...GOOD, ["connection", "close"]], {
      bot: "either",
      neverUpstream: [/connection: close/i],
    }),
    fields(
      "connection-names",
      "Connection that names the host as hop by hop.",
      [...GOOD, ["connection", "host, x-api-key"]],
      EITHER,
    ),
    fields(
      "keep-alive",
      "Keep-Alive, which HTTP/2 hasn't.",
      [...GOOD, ["keep-alive", "timeout=5"]],
      { bot: "either", neverUpstream: [/keep-alive: timeout/i] },
    ),
    fields("upgrade", "Upgrade, which HTTP/2 hasn't.", [...GOOD, ["upgrade", "websocket"]], {
      bot: "either",
      neverUpstream: [/upgrade: websocket/i],
    }),
    fields("te-odd", "TE other than trailers.", [...GOOD, ["te", "gzip"]], {
      bot: "either",
      neverUpstream: [/te: gzip/i],
    }),
    fields("credential-twice", "The credential twice.", [...GOOD, KEY]),
    fields(
      "many",
      "A thousand fields.",
      [...GOOD, ...Array.from({ length: 1000 }, (): Field => ["x-a", "b"])],
      EITHER,
    ),
    h2(
      "te-chunked",
      "Transfer-Encoding: chunked and a request behind the last chunk (H2.TE).",
      speaks(
        ask([...POST, ["transfer-encoding", "chunked"]], 1, OPEN),
        data(`0\r\n\r\n${SMUGGLED}`),
      ),
      NOT_SMUGGLED,
    ),
    h2(
      "cl-zero",
      "Content-Length 0 and a request for a body (H2.CL).",
      speaks(ask([...POST, ["content-length", "0"]], 1, OPEN), data(SMUGGLED)),
      NOT_SMUGGLED,
    ),
    h2(
      "cl-short",
      "Fewer bytes promised than sent.",
      speaks(ask([...POST, ["content-length", "5"]], 1, OPEN), data(`hello${SMUGGLED}`)),
      NOT_SMUGGLED,
    ),
    h2(
      "cl-long",
      "More bytes promised than sent: it must not look whole, nor take the next request's.",
      speaks(ask([...POST, ["content-length", "500"]], 1, OPEN), data("hello"), ask(GOOD, 3)),
      { bot: "held", most: 2 },
    ),
    h2(
      "cl-no-data",
      "A length, and the end with the head.",
      speaks(ask([...POST, ["content-length", "5"]])),
      { bot: "held", most: 1 },
    ),
    h2(
      "cl-twice",
      "Two lengths that differ.",
      speaks(
        ask([...POST, ["content-length", "5"], ["content-length", "6"]], 1, OPEN),
        data("hello"),
      ),
      NOT_SMUGGLED,
    ),
    h2(
      "cl-odd",
      "A length that is no number.",
      speaks(ask([...POST, ["content-length", "5x"]], 1, OPEN), data("hello")),
      NOT_SMUGGLED,
    ),
    h2(
      "get-with-body",
      "A GET with a body.",
      speaks(ask(GOOD, 1, OPEN), data(SMUGGLED)),
      // As a body it may stand at the server; read as a request it would be one too many.
      EITHER,
    ),
    h2(
      "body-is-request",
      "A body that is a request stays a body.",
      speaks(ask(POST, 1, OPEN), data(SMUGGLED)),
      { bot: "served", exactly: 1 },
    ),
    h2(
      "trailers-pseudo",
      "Pseudo fields in trailers.",
      speaks(ask(POST, 1, OPEN), data("hello", 1, 0), ask([[":path", "/admin"]])),
      { bot: "held", most: 1, neverUpstream: ["/admin"] },
    ),
    h2(
      "trailers-host",
      "Host and credential in trailers.",
      speaks(
        ask(POST, 1, OPEN),
        data("hello", 1, 0),
        ask([
          ["host", "evil.test"],
          ["x-api-key", "other"],
        ]),
      ),
      { bot: "held", most: 1, neverUpstream: [/\nhost: evil/i] },
    ),
    h2(
      "trailers-open",
      "A second HEADERS that doesn't end the stream.",
      speaks(ask(POST, 1, OPEN), ask([["x-a", "b"]], 1, OPEN)),
      { bot: "held", most: 1 },
    ),

    frames("data-stream-0", "DATA on stream 0.", frame(TYPE.DATA, 1, 0, "x")),
    frames("headers-stream-0", "HEADERS on stream 0.", ask(GOOD, 0)),
    frames("headers-even", "HEADERS on a stream of the server's.", ask(GOOD, 2)),
    frames(
      "headers-lower",
      "A stream with a number below one that was there.",
      ask(GOOD, 5),
      ask(GOOD, 3),
    ),
    frames("data-idle", "DATA on a stream that isn't open.", data("x", 1)),
    frames("data-after-end", "DATA after the end of the stream.", ask(GOOD), data("x")),
    frames("headers-after-end", "HEADERS after the end of the stream.", ask(GOOD), ask(GOOD)),
    frames(
      "rst-idle",
      "RST_STREAM on a stream that isn't open.",
      frame(TYPE.RST_STREAM, 0, 1, "\0\0\0\x08"),
    ),
    frames(
      "rst-length",
      "RST_STREAM of three bytes.",
      ask(POST, 1, OPEN),
      frame(TYPE.RST_STREAM, 0, 1, "\0\0\0"),
    ),
    frames(
      "continuation-alone",
      "CONTINUATION with no HEADERS.",
      frame(TYPE.CONTINUATION, 4, 1, ""),
    ),
    frames(
      "continuation-other",
      "CONTINUATION on another stream.",
      ask(GOOD, 1, 0),
      frame(TYPE.CONTINUATION, 4, 3, ""),
    ),
    frames(
      "continuation-interleaved",
      "Another frame between HEADERS and CONTINUATION.",
      ask(GOOD, 1, 1),
      frame(TYPE.PING, 0, 0, "12345678"),
      frame(TYPE.CONTINUATION, 4, 1, ""),
    ),
    frames(
      "settings-length",
      "SETTINGS whose length is no multiple of six.",
      frame(TYPE.SETTINGS, 0, 0, "12345"),
    ),
    frames(
      "settings-ack-payload",
      "An acknowledgement of SETTINGS that brings some.",
      frame(TYPE.SETTINGS, 1, 0, "123456"),
    ),
    frames("settings-stream", "SETTINGS on a stream.", frame(TYPE.SETTINGS, 0, 1, "")),
    ...PAIRS_BAD.map(([name, what, id, value]) => frames(name, what, settings([id, value]))),
    frames("ping-length", "PING of seven bytes.", frame(TYPE.PING, 0, 0, "1234567")),
    frames("ping-stream", "PING on a stream.", frame(TYPE.PING, 0, 1, "12345678")),
    frames("goaway-stream", "GOAWAY on a stream.", frame(TYPE.GOAWAY, 0, 1, "\0\0\0\0\0\0\0\0")),
    frames("window-zero", "WINDOW_UPDATE by nothing.", frame(TYPE.WINDOW_UPDATE, 0, 0, "\0\0\0\0")),
    frames(
      "window-overflow",
      "WINDOW_UPDATEs that overflow the window.",
      frame(TYPE.WINDOW_UPDATE, 0, 0, "\x7f\xff\xff\xff"),
      frame(TYPE.WINDOW_UPDATE, 0, 0, "\x7f\xff\xff\xff"),
    ),
    frames(
      "window-length",
      "WINDOW_UPDATE of three bytes.",
      frame(TYPE.WINDOW_UPDATE, 0, 0, "\0\0\0"),
    ),
    frames(
      "push-promise",
      "PUSH_PROMISE from a client.",
      frame(TYPE.PUSH_PROMISE, 4, 1, "\0\0\0\x02"),
    ),
    h2(
      "priority-self",
      "A stream that depends on itself: an error, or as nothing, since priorities are given up (RFC 9113 section 5.3.2).",
      speaks(frame(TYPE.PRIORITY, 0, 1, "\0\0\0\x01\x10")),
      { bot: "held", most: 0, leave: true },
    ),
    frames("priority-length", "PRIORITY of four bytes.", frame(TYPE.PRIORITY, 0, 1, "\0\0\0\0")),
    frames(
      "padding-long",
      "More padding than the frame is long.",
      ask(POST, 1, OPEN),
      frame(TYPE.DATA, FLAG.PADDED | 1, 1, "\xffab"),
    ),
    frames(
      "frame-long",
      "A frame longer than frames may be.",
      frame(TYPE.PING, 0, 0, Buffer.alloc(20_000)),
    ),
    frames(
      "frame-endless",
      "A frame that says it has sixteen megabytes.",
      Buffer.concat([Buffer.from("ffffff000000000001", "hex"), Buffer.alloc(100_000)]),
    ),
    frames(
      "hpack-index",
      "An index beyond the tables.",
      frame(TYPE.HEADERS, 5, 1, Buffer.from([0xff, 0xff, 0xff, 0x7f])),
    ),
    frames("hpack-index-0", "Index 0.", frame(TYPE.HEADERS, 5, 1, Buffer.from([0x80]))),
    frames(
      "hpack-integer",
      "An integer that never ends.",
      frame(TYPE.HEADERS, 5, 1, Buffer.alloc(1000, 0xff)),
    ),
    frames(
      "hpack-length",
      "A string longer than the block.",
      frame(TYPE.HEADERS, 5, 1, Buffer.from([0, 0x7f, 0xff, 0x7f, 97])),
    ),
    frames(
      "hpack-huffman",
      "A Huffman code that ends in what never ends.",
      frame(TYPE.HEADERS, 5, 1, Buffer.from([0, 0x84, 0xff, 0xff, 0xff, 0xff, 0])),
    ),
    frames(
      "hpack-table",
      "A dynamic table larger than allowed.",
      frame(TYPE.HEADERS, 5, 1, Buffer.from([0x3f, 0xff, 0xff, 0x7f])),
    ),
    frames("preface-twice", "The preface again.", START),
    h2(
      "preface-odd",
      "A preface that is wrong in its last bytes.",
      [{ send: "PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n" }],
      { bot: "held" },
    ),
    h2(
      "preface-no-settings",
      "Another frame than SETTINGS behind the preface.",
      [{ send: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" }, { send: frame(TYPE.PING, 0, 0, "12345678") }],
      { bot: "held" },
    ),
    h2(
      "preface-half",
      "Half a preface, and silence.",
      [{ send: "PRI * HTTP" }, { until: "answers", count: 1 }],
      { bot: "held", withinMs: 90_000 },
      { slow: true },
    ),
    h2(
      "silence",
      "A preface, and silence.",
      [{ send: START }, { until: "answers", count: 1 }],
      { bot: "held", withinMs: 100_000 },
      { slow: true },
    ),
    h2(
      "head-half",
      "HEADERS without an end, and silence.",
      [...speaks(ask(GOOD, 1, 0)), { until: "answers", count: 1 }],
      { bot: "held", withinMs: 100_000 },
      { slow: true },
    ),

    h2(
      "bomb-hpack",
      "Forty-eight megabytes of head in sixteen kilobytes.",
      speaks(HPACK_BOMB),
      { bot: "held", most: 0, mostMemoryMB: 48 },
      { alone: true },
    ),
    h2(
      "flood-continuation",
      "CONTINUATION without end.",
      [
        ...speaks(ask(GOOD, 1, 1)),
        {
          send: (fill) =>
            frame(TYPE.CONTINUATION, 0, 1, block([[fill("x-a"), "b".repeat(16_000)]])),
          times: 4000,
        },
      ],
      { bot: "held", mostMemoryMB: 48 },
      { alone: true },
    ),
    h2(
      "flood-continuation-empty",
      "Empty CONTINUATIONs without end.",
      [
        ...speaks(ask(GOOD, 1, 1)),
        {
          send: Buffer.concat(
            Array.from({ length: 1000 }, () => frame(TYPE.CONTINUATION, 0, 1, "")),
          ),
          times: 200,
        },
      ],
      { bot: "held", mostMemoryMB: 48 },
      { alone: true },
    ),
    h2(
      "flood-ping",
      "Two hundred thousand PINGs, unread.",
      [
        { send: START },
        { act: "stop-reading" },
        {
          send: Buffer.concat(
            Array.from({ length: 1000 }, () => frame(TYPE.PING, 0, 0, "12345678")),
          ),
          times: 200,
        },
      ],
      { bot: "held", mostMemoryMB: 64, leave: true, withinMs: 10_000 },
      { alone: true },
    ),
    h2(
      "flood-settings",
      "A hundred thousand SETTINGS, unread.",
      [
        { send: START },
        { act: "stop-reading" },
        { send: Buffer.concat(Array.from({ length: 1000 }, () => settings([3, 100]))), times: 100 },
      ],
      { bot: "held", mostMemoryMB: 64, leave: true, withinMs: 10_000 },
      { alone: true },
    ),
    h2(
      "flood-priority",
      "A hundred thousand PRIORITYs.",
      [
        { send: START },
        {
          send: Buffer.concat(
            Array.from({ length: 1000 }, (_, index) =>
              frame(TYPE.PRIORITY, 0, 2 * index + 1, "\0\0\0\0\x10"),
            ),
          ),
          times: 100,
        },
      ],
      { bot: "held", mostMemoryMB: 64, leave: true, withinMs: 10_000 },
      { alone: true },
    ),
    h2(
      "flood-window",
      "A hundred thousand WINDOW_UPDATEs of one byte.",
      [
        { send: START },
        {
          send: Buffer.concat(
            Array.from({ length: 1000 }, () => frame(TYPE.WINDOW_UPDATE, 0, 0, "\0\0\0\x01")),
          ),
          times: 100,
        },
      ],
      { bot: "held", mostMemoryMB: 64, leave: true, withinMs: 10_000 },
      { alone: true },
    ),
    h2(
      "flood-empty-data",
      "A hundred thousand DATAs of nothing.",
      [
        ...speaks(ask(POST, 1, OPEN)),
        {
          send: Buffer.concat(Array.from({ length: 1000 }, () => frame(TYPE.DATA, 0, 1, ""))),
          times: 100,
        },
      ],
      {
        bot: "held",
        most: 1,
        mostMemoryMB: 64,
        leave: true,
        withinMs: 10_000,
        upstreamClosed: true,
      },
      { alone: true },
    ),
    h2(
      "flood-reset",
      "Ten thousand requests, each taken back at once (rapid reset).",
      [{ send: START }, ...resets(10_000)],
      {
        bot: "held",
        most: 2000,
        mostMemoryMB: 64,
        leave: true,
        withinMs: 15_000,
        upstreamClosed: true,
      },
      { alone: true },
    ),
    h2(
      "flood-streams",
      "Two thousand streams at once.",
      [
        { send: START },
        {
          send: (fill) =>
            Buffer.concat(
              Array.from({ length: 2000 }, (_, index) =>
                headers(
                  2 * index + 1,
                  GOOD.map(([name, value]): Field => [fill(name), fill(value)]),
                ),
              ),
            ),
        },
        { act: "pause", ms: 1500 },
      ],
      { bot: "held", most: 2000, mostMemoryMB: 96, leave: true, withinMs: 20_000 },
      { alone: true },
    ),
    h2(
      "window-closed",
      "A hundred answers are asked for, and no byte of them is taken.",
      [
        { send: Buffer.concat([START.subarray(0, 24), settings([1, 0], [4, 0])]) },
        {
          send: (fill) =>
            Buffer.concat(
              Array.from({ length: 100 }, (_, index) =>
                headers(
                  2 * index + 1,
                  GOOD.map(([name, value]): Field => [fill(name), fill(value)]),
                ),
              ),
            ),
        },
        { act: "pause", ms: 2000 },
      ],
      {
        bot: "held",
        most: 100,
        mostMemoryMB: 96,
        leave: true,
        withinMs: 20_000,
        upstreamClosed: true,
      },
      {
        alone: true,
        upstream: {
          steps: [
            { send: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" },
            { send: "a".repeat(65_536), times: 160 },
            { act: "end" },
          ],
        },
      },
    ),
    h2(
      "goaway-then-ask",
      "GOAWAY, and then a request.",
      speaks(frame(TYPE.GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0"), ask(GOOD)),
      { bot: "held", most: 1 },
    ),
    h2(
      "cut-body",
      "A stream that is taken back in the middle of its body must not look whole to the server.",
      [
        ...speaks(ask(POST, 1, OPEN), data("hello", 1, 0)),
        { until: "upstream", count: 1 },
        { send: frame(TYPE.RST_STREAM, 0, 1, "\0\0\0\x08") },
        { act: "pause", ms: 100 },
      ],
      { bot: "failed", leave: true, upstreamClosed: true, neverUpstream: [/\r\n0\r\n\r\n$/] },
    ),
  ],
};

function resets(count: number): Step[] {
  const round = 100;
  return Array.from({ length: count / round }, (_, turn) => ({
    send: (fill: (text: string) => string) =>
      Buffer.concat(
        Array.from({ length: round }, (_each, index) => {
          const stream = 2 * (turn * round + index) + 1;
          return Buffer.concat([
            headers(
              stream,
              GOOD.map(([name, value]): Field => [fill(name), fill(value)]),
            ),
            frame(TYPE.RST_STREAM, 0, stream, "\0\0\0\x08"),
          ]);
        }),
      ),
  }));
}
