import type { Group } from "../Case.ts";
import { AUTH, get, post } from "./http.ts";

export const slow: Group = {
  name: "slow",
  cases: [
    {
      name: "silence",
      what: "A client that says nothing at all is cut in bounded time.",
      side: "bot",
      slow: true,
      bot: [
        { act: "pause", ms: 1 },
        { until: "answers", count: 1 },
      ],
      expect: { bot: "refused", withinMs: 75_000 },
    },
    {
      name: "silence-tcp",
      what: "A client that connects and doesn't even begin with TLS.",
      side: "bot",
      needs: ["tls"],
      via: { tls: false },
      slow: true,
      bot: [{ until: "answers", count: 1 }],
      expect: { bot: "refused", withinMs: 60_000 },
      codes: ["client-hello-slow"],
    },
    {
      name: "hello-trickle",
      what: "A ClientHello, one byte every half second.",
      side: "bot",
      needs: ["tls"],
      via: { tls: false },
      slow: true,
      bot: [
        {
          trickle: Buffer.concat([
            Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
            Buffer.alloc(200),
          ]),
          everyMs: 500,
        },
      ],
      expect: { bot: "refused", withinMs: 60_000 },
    },
    {
      name: "head-half",
      what: "Half a head and then silence (Slowloris).",
      side: "bot",
      slow: true,
      bot: [
        { send: `GET /v1/models/{id} HTTP/1.1\r\n${AUTH}X-A: b` },
        { until: "answers", count: 1 },
      ],
      expect: { bot: "refused", withinMs: 75_000 },
      codes: ["request-slow"],
    },
    {
      name: "head-trickle",
      what: "A head that grows by one field each second without end.",
      side: "bot",
      slow: true,
      bot: [
        { send: `GET /v1/models/{id} HTTP/1.1\r\n${AUTH}` },
        { send: "X-A: b\r\n", times: 120, everyMs: 1000 },
      ],
      expect: { bot: "refused", withinMs: 75_000 },
      codes: ["request-slow"],
    },
    {
      name: "head-second",
      what: "Half a head on a connection that has served a request before.",
      side: "bot",
      slow: true,
      bot: [
        { send: get("/v1/models/first") },
        { until: "answers", count: 1 },
        { send: "GET /v1/models/second HTTP/1.1\r\nHost: " },
        { until: "answers", count: 2 },
      ],
      expect: { bot: "refused", served: 1, answers: 2, most: 1, withinMs: 75_000 },
    },
    {
      name: "body-trickle",
      what: "A body at one byte per hundredth of a second arrives whole, whatever else goes on.",
      side: "bot",
      bot: [
        { send: post("Content-Length: 200\r\n", "") },
        { trickle: "a".repeat(200), everyMs: 10 },
      ],
      expect: { bot: "served", exactly: 1 },
    },
    {
      name: "body-stalled",
      what: "A hundred bodies that stall don't keep others from being served, and end with their clients.",
      side: "bot",
      bot: [
        { send: post("Content-Length: 200\r\n", "begun") },
        { until: "upstream", count: 1 },
        { act: "reset" },
      ],
      expect: { bot: "held", upstreamClosed: true, leave: true },
    },
    {
      name: "bytes-single",
      what: "A whole request byte by byte is one request.",
      side: "bot",
      bot: [
        { trickle: post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), everyMs: 1 },
      ],
      expect: { bot: "served", exactly: 1 },
    },
    {
      name: "answer-unread",
      what: "A client that asks and doesn't read is not served without end.",
      side: "bot",
      alone: true,
      bot: [{ act: "stop-reading" }, { send: get("/v1/models/x").repeat(50), times: 200 }],
      expect: { bot: "held", mostMemoryMB: 64, leave: true, withinMs: 8000 },
    },
    {
      name: "pipelined-flood",
      what: "Ten thousand requests at once on one connection: bounded memory, no request twice.",
      side: "bot",
      alone: true,
      bot: [{ send: get("/v1/models/x").repeat(100), times: 100 }],
      expect: { bot: "held", mostMemoryMB: 64, most: 10_000, withinMs: 60_000 },
    },
    {
      name: "refused-flood",
      what: "A body without end to a call that is refused is not read without end.",
      side: "bot",
      needs: ["rules"],
      bot: [
        { send: `POST /nothing/here HTTP/1.1\r\n${AUTH}Content-Length: 10000000000\r\n\r\n` },
        { send: "a".repeat(65_536), times: 10_000 },
      ],
      expect: { bot: "refused" },
    },
  ],
};
