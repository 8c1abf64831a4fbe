import type { Case, Group } from "../Case.ts";
import { clientHello, record } from "../tlsBytes.ts";
import { AUTH, get, sends } from "./http.ts";

/** Bytes where a ClientHello should be: no request may come of them, and the connection ends. */
function raw(name: string, what: string, bytes: Buffer, more: Partial<Case> = {}): Case {
  return {
    name,
    what,
    side: "bot",
    needs: ["tls"],
    via: { tls: false },
    bot: [{ send: bytes }, { act: "pause", ms: 50 }, { act: "half-close" }],
    expect: { bot: "refused", mostBytes: 16_384 },
    ...more,
  };
}

/** TLS that comes about or not, by what the client says; identity is checked before anything is served. */
function named(
  name: string,
  what: string,
  via: NonNullable<Case["via"]>,
  more: Partial<Case> = {},
): Case {
  return {
    name,
    what,
    side: "bot",
    needs: ["tls", "identity"],
    via,
    bot: sends(get()),
    expect: { bot: "refused" },
    ...more,
  };
}

export const tls: Group = {
  name: "tls",
  cases: [
    {
      name: "control-12",
      what: "TLS 1.2 is served.",
      side: "bot",
      needs: ["tls"],
      via: { versions: ["TLSv1.2", "TLSv1.2"] },
      bot: sends(get()),
      expect: { bot: "served", exactly: 1 },
    },
    {
      name: "control-no-alpn",
      what: "A client that says nothing about protocols gets HTTP/1.1.",
      side: "bot",
      needs: ["tls"],
      via: { alpn: [] },
      bot: sends(get()),
      expect: { bot: "served", exactly: 1 },
    },
    named("sni-other", "The server name of another granted host at this one's address.", {
      serverName: "{other-name}",
    }),
    named("sni-unknown", "A server name that nobody granted.", { serverName: "evil.test" }),
    named("sni-none", "No server name.", { serverName: null }),
    named("sni-address-of-other", "The right server name at another host's address.", {
      at: "other",
    }),
    named("sni-address-of-nobody", "The right server name at an address that nobody granted.", {
      at: "nobody",
    }),
    named(
      "sni-right-host-other",
      "Server name and address agree, and Host names another granted host.",
      {},
      {
        bot: sends(
          "GET /v1/models/{id} HTTP/1.1\r\nHost: {other-host}\r\nx-api-key: {other-phantom}\r\n\r\n",
        ),
      },
    ),
    {
      name: "sni-upper",
      what: "The server name in upper case is the same host, or refused.",
      side: "bot",
      needs: ["tls", "identity"],
      via: { serverName: "API0.ADVERSARY.TEST" },
      bot: sends(get()),
      expect: { bot: "held", most: 1 },
    },
    named("old-10", "TLS 1.0.", { versions: ["TLSv1", "TLSv1"] }, { needs: ["tls"] }),
    named("old-11", "TLS 1.1.", { versions: ["TLSv1.1", "TLSv1.1"] }, { needs: ["tls"] }),
    {
      name: "alpn-unknown",
      what: "A client that only speaks a protocol nobody has gets no answer in it.",
      side: "bot",
      needs: ["tls"],
      via: { alpn: ["smtp"] },
      bot: sends(get()),
      expect: { bot: "either" },
    },
    {
      name: "alpn-h2-text",
      what: "HTTP/1.1 is spoken after HTTP/2 was agreed on.",
      side: "bot",
      needs: ["tls"],
      via: { alpn: ["h2"] },
      bot: sends(get()),
      expect: { bot: "refused" },
    },
    {
      name: "alpn-text-h2",
      what: "The preface of HTTP/2 is spoken after HTTP/1.1 was agreed on.",
      side: "bot",
      needs: ["tls"],
      via: { alpn: ["http/1.1"] },
      bot: sends("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
      expect: { bot: "refused" },
    },
    {
      name: "renegotiation",
      what: "A client that renegotiates again and again is cut or ignored, and its request isn't served twice.",
      side: "bot",
      needs: ["tls"],
      via: { versions: ["TLSv1.2", "TLSv1.2"] },
      bot: [
        { act: "renegotiate" },
        { act: "renegotiate" },
        { act: "renegotiate" },
        { act: "renegotiate" },
        { act: "renegotiate" },
        { send: get() },
      ],
      expect: { bot: "held", most: 1, withinMs: 30_000 },
    },
    {
      name: "renegotiation-inside",
      what: "A renegotiation in the middle of a request.",
      side: "bot",
      needs: ["tls"],
      via: { versions: ["TLSv1.2", "TLSv1.2"] },
      bot: [
        { send: "GET /v1/models/{id} HTTP/1.1\r\n" },
        { act: "renegotiate" },
        { send: `${AUTH}\r\n` },
      ],
      expect: { bot: "held", most: 1, withinMs: 30_000 },
    },
    raw(
      "plain-http",
      "HTTP without TLS on a port with TLS.",
      Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ),
    raw(
      "ssl-2",
      "A hello of SSL 2.",
      Buffer.from("802e0100020015000000100100800200800300800400800500800600400700c00000", "hex"),
    ),
    raw(
      "early-data",
      "A ClientHello that announces early data, and a request in it.",
      Buffer.concat([
        clientHello({
          name: "api0.adversary.test",
          extensions: [
            [42, Buffer.alloc(0)],
            [45, Buffer.from([1, 1])],
          ],
        }),
        record(23, Buffer.from("GET /v1/models/early HTTP/1.1\r\n\r\n")),
      ]),
    ),
    raw(
      "hello-empty-record",
      "Empty records before the ClientHello.",
      Buffer.concat(Array.from({ length: 100 }, () => record(22, Buffer.alloc(0)))),
    ),
    raw(
      "hello-tiny-records",
      "A ClientHello in records of one byte each.",
      clientHello({ name: "api0.adversary.test", recordSize: 1 }),
    ),
    raw(
      "hello-huge",
      "A ClientHello that says it is sixteen megabytes long.",
      Buffer.concat([
        record(22, Buffer.from([1, 255, 255, 255, 3, 3])),
        ...Array.from({ length: 20 }, () => record(22, Buffer.alloc(16_000))),
      ]),
    ),
    raw(
      "hello-record-long",
      "A record longer than records may be.",
      Buffer.concat([Buffer.from([22, 3, 1, 0xff, 0xff]), Buffer.alloc(65_535)]),
    ),
    raw(
      "hello-cut",
      "Half a ClientHello.",
      clientHello({ name: "api0.adversary.test" }).subarray(0, 60),
    ),
    raw(
      "hello-two-names",
      "Two server names in one extension.",
      clientHello({ names: ["api0.adversary.test", "evil.test"] }),
    ),
    raw(
      "hello-two-extensions",
      "The server name extension twice.",
      clientHello({ name: "evil.test", second: "api0.adversary.test" }),
    ),
    raw(
      "hello-name-nul",
      "A NUL inside of the server name.",
      clientHello({ name: "api0.adversary.test\x00.evil.test" }),
    ),
    raw("hello-name-empty", "An empty server name.", clientHello({ name: "" })),
    raw(
      "hello-name-long",
      "A server name of ten thousand letters.",
      clientHello({ name: "a".repeat(10_000) }),
    ),
    raw(
      "hello-name-address",
      "An address for a server name.",
      clientHello({ name: "169.254.169.254" }),
    ),
    raw(
      "hello-name-crlf",
      "A line end inside of the server name.",
      clientHello({ name: "api0.adversary.test\r\nX: y" }),
    ),
    raw(
      "hello-name-dot",
      "A dot behind the server name.",
      clientHello({ name: "api0.adversary.test." }),
    ),
    raw(
      "hello-length-wrong",
      "Extensions that are longer than they say.",
      clientHello({ name: "api0.adversary.test", extensionsLength: 4 }),
    ),
    raw(
      "hello-ech",
      "A ClientHello that hides the server's name (ECH).",
      clientHello({ name: "evil.test", extensions: [[0xfe0d, Buffer.alloc(200, 7)]] }),
    ),
    raw("alert-first", "An alert before anything.", record(21, Buffer.from([1, 0]))),
    raw("application-data-first", "Data before anything.", record(23, Buffer.from(get()))),
    raw(
      "change-cipher-flood",
      "A thousand ChangeCipherSpecs.",
      Buffer.concat([
        clientHello({ name: "api0.adversary.test" }),
        ...Array.from({ length: 1000 }, () => record(20, Buffer.from([1]))),
      ]),
    ),
    raw(
      "heartbeat",
      "A heartbeat that asks for more than it brings.",
      Buffer.concat([
        clientHello({ name: "api0.adversary.test", extensions: [[15, Buffer.from([1])]] }),
        record(24, Buffer.from([1, 0x40, 0])),
      ]),
    ),
  ],
};
