import type { Case, Group } from "../Case.ts";
import { AUTH, get, sends } from "./http.ts";

const KEY = "x-api-key: {phantom}\r\n";

/** A GET whose lines about the host are these. */
function host(name: string, what: string, lines: string, more: Partial<Case> = {}): Case {
  return {
    name: `host-${name}`,
    what,
    side: "bot",
    bot: sends(`GET /v1/models/{id} HTTP/1.1\r\n${lines}${KEY}\r\n`),
    expect: { bot: "refused" },
    codes: ["host-mismatch", "malformed-request"],
    ...more,
  };
}

/** A GET with these further bytes among its fields; nobody may pass them on. */
function field(name: string, what: string, lines: string, more: Partial<Case> = {}): Case {
  return {
    name,
    what,
    side: "bot",
    bot: sends(get(undefined, lines)),
    expect: { bot: "refused" },
    codes: ["malformed-request", "header-flood", "credential-repeated", "foreign-credential"],
    ...more,
  };
}

export const headers: Group = {
  name: "headers",
  cases: [
    {
      name: "control-fields",
      what: "Fields in any case, with tabs and with bytes beyond ASCII in a value, arrive.",
      side: "bot",
      bot: sends(get(undefined, "X-UPPER: a\r\nx-tab:\tb\t\r\nx-latin: caf\xe9\r\nx-empty:\r\n")),
      expect: { bot: "served", exactly: 1, upstreamHas: [/x-upper: a\r/i, /x-empty: ?\r/i] },
    },
    host("none", "No Host at all.", ""),
    host("empty", "An empty Host.", "Host:\r\n"),
    host("two", "Two Hosts that differ.", "Host: {host}\r\nHost: evil.test\r\n"),
    host(
      "two-evil-first",
      "Two Hosts, the other one first.",
      "Host: evil.test\r\nHost: {host}\r\n",
    ),
    host("two-same", "The same Host twice.", "Host: {host}\r\nHost: {host}\r\n"),
    host("list", "Two hosts in one Host.", "Host: {host}, evil.test\r\n"),
    host("userinfo", "A name before an @ in Host.", "Host: {host}@evil.test\r\n"),
    host("userinfo-evil", "The right host behind an @.", "Host: evil.test@{host}\r\n"),
    host("path", "A path in Host.", "Host: {host}/evil\r\n"),
    host("port-letters", "A port that is no number.", "Host: {name}:port\r\n"),
    host("port-evil", "A port with something behind it.", "Host: {host}.evil.test\r\n"),
    host("space", "A space inside of Host.", "Host: {name} evil.test\r\n"),
    host("tab", "A tab inside of Host.", "Host: {name}\tevil.test\r\n"),
    host("nul", "A NUL inside of Host.", "Host: {host}\x00.evil.test\r\n"),
    host("folded", "Host on a folded line.", "Host:\r\n {host}\r\n"),
    host("space-before-colon", "White space before Host's colon.", "Host : {host}\r\n"),
    host(
      "underscore-beside",
      "A Host that is right beside one with white space in front.",
      "Host: {host}\r\n Host: evil.test\r\n",
    ),
    host("other", "The Host of another service on this connection.", "Host: {other-host}\r\n", {
      needs: ["identity"],
    }),
    host("unknown", "A Host that nobody granted.", "Host: evil.test\r\n", { needs: ["identity"] }),
    host("address", "An address as Host.", "Host: 169.254.169.254\r\n", { needs: ["identity"] }),
    host("localhost", "localhost as Host.", "Host: localhost\r\n", { needs: ["identity"] }),
    host(
      "trailing-dot",
      "A dot behind the name: refused or the same host.",
      "Host: {name}.:{port}\r\n",
      { needs: ["identity"], expect: { bot: "either" } },
    ),
    host(
      "upper",
      "The host in upper case: refused or the same host.",
      "Host: {name}\r\n".replace("{name}", "API.ADVERSARY.TEST"),
      { needs: ["identity"] },
    ),
    host(
      "forwarded",
      "Fields that some servers believe more than Host.",
      "Host: {host}\r\nX-Forwarded-Host: evil.test\r\nForwarded: host=evil.test\r\n",
      {
        expect: { bot: "either" },
      },
    ),
    {
      name: "host-changes",
      what: "A connection that was for one host is used for another.",
      side: "bot",
      needs: ["identity"],
      bot: sends(
        `${get("/v1/models/first")}GET /v1/models/second HTTP/1.1\r\nHost: {other-host}\r\nx-api-key: {other-phantom}\r\n\r\n`,
      ),
      expect: { bot: "refused", served: 1, answers: 2, exactly: 1, neverUpstream: ["/second"] },
      codes: ["host-mismatch"],
    },

    field("fold", "A folded field.", "X-A: b\r\n c\r\n"),
    field("fold-tab", "A field folded by a tab.", "X-A: b\r\n\tc\r\n"),
    {
      name: "fold-first",
      what: "White space before the first field.",
      side: "bot",
      bot: sends(`GET /v1/models/{id} HTTP/1.1\r\n X-A: b\r\n${AUTH}\r\n`),
      expect: { bot: "refused" },
    },
    field("line-lf", "A field that ends in a bare LF.", "X-A: b\nX-B: c\r\n"),
    field("line-cr", "A field that ends in a bare CR.", "X-A: b\rX-B: c\r\n"),
    field("line-cr-cr-lf", "A field that ends in CR CR LF.", "X-A: b\r\r\n"),
    field("value-nul", "A NUL in a value.", "X-A: b\x00c\r\n"),
    field("value-control", "A control character in a value.", "X-A: b\x01c\r\n"),
    field("value-delete", "DEL in a value.", "X-A: b\x7fc\r\n"),
    field("value-escape", "An escape sequence for a terminal in a value.", "X-A: \x1b[2J\r\n"),
    field("name-space", "White space inside of a name.", "X A: b\r\n"),
    field("name-space-before-colon", "White space before the colon.", "X-A : b\r\n"),
    field("name-empty", "No name before the colon.", ": b\r\n"),
    field("name-nul", "A NUL in a name.", "X\x00A: b\r\n"),
    field("name-latin", "A byte beyond ASCII in a name.", "X-\xe9: b\r\n"),
    field("name-brackets", "Brackets in a name.", "X(A): b\r\n"),
    field("name-slash", "A slash in a name.", "X/A: b\r\n"),
    field("no-colon", "A line without a colon.", "X-A\r\n"),
    field("end-lf", "A head that a bare LF ends.", "X-A: b\r\n\n"),
    field("end-lf-lf", "A head that two bare LFs end.", "X-A: b\n\n"),
    {
      name: "count-flood",
      what: "Ten thousand fields.",
      side: "bot",
      bot: sends(get(undefined, "X-A: b\r\n".repeat(10_000))),
      expect: { bot: "refused" },
      codes: ["header-flood"],
    },
    {
      name: "count-201",
      what: "Many short fields, fewer than the size would stop.",
      side: "bot",
      bot: sends(
        get(undefined, Array.from({ length: 1200 }, (_, index) => `a${index}:\r\n`).join("")),
      ),
      expect: { bot: "either", mostUpstreamBytes: 65_536 },
    },
    {
      name: "hidden-by-count",
      what: "A second Host behind so many fields that a reader might not look so far.",
      side: "bot",
      bot: sends(get(undefined, `${"a:\r\n".repeat(3000)}Host: evil.test\r\n`)),
      expect: { bot: "refused" },
    },
    {
      name: "value-long",
      what: "One field of a megabyte.",
      side: "bot",
      bot: [
        { send: `GET /v1/models/{id} HTTP/1.1\r\n${AUTH}X-A: ` },
        { send: "a".repeat(65_536), times: 16 },
        { send: "\r\n\r\n" },
      ],
      expect: { bot: "refused", mostBytes: 65_536 },
      codes: ["header-flood"],
    },
    {
      name: "name-long",
      what: "One field name of a hundred kilobytes.",
      side: "bot",
      bot: sends(get(undefined, `${"a".repeat(100_000)}: b\r\n`)),
      expect: { bot: "refused" },
      codes: ["header-flood"],
    },
    {
      name: "endless",
      what: "A head that never ends costs no more than a bounded head.",
      side: "bot",
      alone: true,
      bot: [
        { send: `GET /v1/models/{id} HTTP/1.1\r\n${AUTH}` },
        { send: `X-A: ${"a".repeat(8000)}\r\n`, times: 8000 },
      ],
      expect: { bot: "refused", mostMemoryMB: 48 },
    },
    {
      name: "proxy-fields",
      what: "Fields that belong to one hop don't go further.",
      side: "bot",
      bot: sends(
        get(undefined, "Proxy-Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n"),
      ),
      expect: {
        bot: "either",
        neverUpstream: [/proxy-connection/i, /keep-alive: timeout/i, /proxy-authorization/i],
      },
    },
    {
      name: "proxy-authorization",
      what: "A credential for a proxy doesn't go to the server.",
      side: "bot",
      bot: sends(get(undefined, "Proxy-Authorization: Basic eDp5\r\n")),
      expect: { bot: "either", neverUpstream: [/proxy-authorization/i] },
    },
    {
      name: "connection-drops",
      what: "What Connection names is hop by hop and doesn't go further.",
      side: "bot",
      bot: sends(get(undefined, "Connection: x-hop\r\nX-Hop: yes\r\n")),
      expect: { bot: "either", neverUpstream: [/x-hop: yes/i] },
    },
    {
      name: "h2c",
      what: "An upgrade to HTTP/2 without TLS must not reach a server that would do it.",
      side: "bot",
      bot: sends(
        get(
          undefined,
          "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
        ),
      ),
      upstream: {
        steps: [
          {
            send: "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
          },
          { until: "closed" },
        ],
      },
      expect: { bot: "failed", neverUpstream: [/upgrade: h2c/i, /http2-settings/i] },
    },
    {
      name: "h2c-served",
      what: "The same with a server that answers plainly: no upgrade is passed on.",
      side: "bot",
      bot: sends(
        get(
          undefined,
          "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
        ),
      ),
      expect: { bot: "either", neverUpstream: [/upgrade: h2c/i, /http2-settings/i] },
    },
    {
      name: "upgrade-odd",
      what: "An upgrade to a protocol that nobody granted.",
      side: "bot",
      bot: sends(get(undefined, "Connection: Upgrade\r\nUpgrade: TLS/1.3, ssh\r\n")),
      expect: { bot: "either", neverUpstream: [/upgrade: tls/i] },
    },
    {
      name: "upgrade-without-answer",
      what: "The server refuses an upgrade with 200, and the client goes on as if it had got it.",
      side: "bot",
      bot: [
        {
          send: get(
            "/v1/socket",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
          ),
        },
        { until: "answers", count: 1 },
        { send: `GET /smuggled/{id} HTTP/1.1\r\n${AUTH}\r\n` },
      ],
      expect: { bot: "held", neverUpstream: ["/smuggled/"] },
      needs: ["rules"],
    },
  ],
};
