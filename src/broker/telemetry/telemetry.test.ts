import assert from "node:assert/strict";
import { once } from "node:events";
import http, { type IncomingMessage, type Server } from "node:http";
import net, { type AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { AuditRecord } from "../audit/AuditRecord.ts";
import { modelGrant } from "../testing/grants.ts";
import { canary, freePort, TestBroker } from "../testing/TestBroker.ts";
import { Metrics } from "./Metrics.ts";
import { spansBody } from "./spansBody.ts";
import { Traces } from "./Traces.ts";

const RECORD: AuditRecord = {
  id: "01234567-89ab-cdef-0123-456789abcdef",
  time: "2026-11-02T08:15:00.000Z",
  bot: "basecamp",
  kind: "call",
  grant: "model",
  host: "api.model.test:443",
  method: "POST",
  path: "/v1/messages",
  decision: "allow",
  outcome: "done",
  status: 200,
  bytesOut: 10,
  bytesIn: 20,
  tokensIn: 5,
  tokensOut: 7,
  microdollars: 1500,
  durationMs: 420,
};

const NOW = { openCalls: 3, droppedSpans: 0 };

test("Metrics says in OpenMetrics text what was recorded", () => {
  const metrics = new Metrics();
  metrics.add(RECORD);
  metrics.add({ ...RECORD, durationMs: 4000 });
  metrics.add({ ...RECORD, decision: "refuse", outcome: "refused", code: "not-allowed", count: 5 });
  const lines = metrics.text(NOW).split("\n");
  for (const line of [
    'seawall_calls_total{bot="basecamp",grant="model",kind="call",outcome="done"} 2',
    'seawall_calls_total{bot="basecamp",grant="model",kind="call",outcome="refused"} 5',
    'seawall_refused_total{bot="basecamp",code="not-allowed"} 5',
    'seawall_bytes_total{bot="basecamp",grant="model",direction="in"} 60',
    'seawall_tokens_total{bot="basecamp",grant="model",direction="out"} 21',
    'seawall_call_duration_seconds_bucket{bot="basecamp",kind="call",le="0.5"} 1',
    'seawall_call_duration_seconds_bucket{bot="basecamp",kind="call",le="5"} 2',
    'seawall_call_duration_seconds_bucket{bot="basecamp",kind="call",le="+Inf"} 2',
    'seawall_call_duration_seconds_count{bot="basecamp",kind="call"} 2',
    "seawall_open_calls 3",
  ])
    assert.ok(lines.includes(line), line);
  assert.deepEqual(lines.slice(-2), ["# EOF", ""]);
  // Each line is a comment or one sample (OpenMetrics 1.0, section 5.1).
  for (const line of lines.slice(0, -1))
    assert.match(line, /^(# (TYPE|UNIT|HELP|EOF).*|[a-z_]+(\{[^}]*\})? -?[\d.e+-]+)$/);
});

test("Metrics has a bounded number of series and no label that a bot chose", () => {
  const metrics = new Metrics();
  for (let at = 0; at < 5000; at += 1)
    metrics.add({
      ...RECORD,
      bot: `bot${at}`,
      host: `evil${at}.test`,
      path: `/evil${at}`,
      method: `EVIL${at}`,
      code: `evil"${at}\n`,
    });
  const text = metrics.text(NOW);
  assert.ok(!text.includes("evil") && !text.includes("EVIL"));
  assert.match(text, /seawall_calls_total\{bot="\(other\)",[^}]*\} 4000\n/);
  assert.ok(text.split("\n").length < 30_000);
});

test("spansBody() gives one span per call, as OTLP's JSON wants it", () => {
  const { resourceSpans } = JSON.parse(spansBody([RECORD])) as {
    resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[];
  };
  const span = resourceSpans[0]?.scopeSpans[0]?.spans[0] ?? {};
  assert.equal(span["traceId"], "0123456789abcdef0123456789abcdef");
  assert.equal(span["spanId"], "0123456789abcdef");
  assert.equal(span["name"], "POST model");
  assert.equal(span["startTimeUnixNano"], "1793607300000000000");
  assert.equal(span["endTimeUnixNano"], "1793607300420000000");
  assert.deepEqual(span["status"], { code: 1 });
  const attributes = new Map(
    (span["attributes"] as { key: string; value: object }[]).map(({ key, value }) => [key, value]),
  );
  assert.deepEqual(attributes.get("server.port"), { intValue: "443" });
  assert.deepEqual(attributes.get("seawall.outcome"), { stringValue: "done" });
});

describe("Traces", () => {
  let collector: Server;
  let url: string;
  let bodies: string[];
  let status: number;
  let got: (() => void) | undefined;
  beforeEach(async () => {
    bodies = [];
    status = 200;
    collector = http.createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        assert.equal(request.url, "/v1/traces");
        bodies.push(body);
        response.writeHead(status).end("{}");
        got?.();
      });
    });
    collector.listen(0, "127.0.0.1");
    await once(collector, "listening");
    url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    collector.close();
    collector.closeAllConnections();
  });
  const received = (): Promise<void> =>
    new Promise((resolve) => {
      got = resolve;
    });

  test("gathers spans and sends them together", async () => {
    const traces = new Traces(url, { gatherMs: 20, pauseMs: 20 });
    const arrived = received();
    for (let at = 0; at < 5; at += 1) traces.add(RECORD);
    await arrived;
    assert.equal(bodies.length, 1);
    assert.equal(bodies[0]?.match(/traceId/g)?.length, 5);
    traces.close();
  });

  test("drops what the collector doesn't take, goes on when it does, and never grows beyond its queue", async () => {
    const traces = new Traces(url, { gatherMs: 1, pauseMs: 1 });
    status = 503;
    let arrived = received();
    for (let at = 0; at < 10_000; at += 1) traces.add(RECORD);
    assert.equal(traces.dropped, 10_000 - 2048);
    await arrived;
    status = 200;
    arrived = received();
    await arrived;
    while (traces.dropped < 10_000 - 2048 + 256)
      await new Promise((resolve) => setImmediate(resolve));
    traces.close();
  });

  test("is not disturbed by a collector that is away, hangs or talks nonsense", async () => {
    const nonsense = net.createServer((socket) => socket.end("\u0000\u0000"));
    nonsense.listen(0, "127.0.0.1");
    await once(nonsense, "listening");
    const { port } = nonsense.address() as AddressInfo;
    for (const target of [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${port}`]) {
      const traces = new Traces(target, { gatherMs: 1, pauseMs: 1 });
      traces.add(RECORD);
      while (traces.dropped === 0) await new Promise((resolve) => setImmediate(resolve));
      traces.close();
    }
    nonsense.close();
  });
});

describe("telemetry of a broker", () => {
  let broker: TestBroker;
  beforeEach(async () => {
    broker = await TestBroker.start();
  });
  afterEach(async () => {
    await broker.end();
  });

  async function read(
    port: number,
    path = "/metrics",
    headers: Record<string, string> = {},
    method = "GET",
  ): Promise<{ status: number | undefined; text: string }> {
    const request = http.request({ port, host: "127.0.0.1", path, headers, method, agent: false });
    request.end();
    const [reply] = (await once(request, "response")) as [IncomingMessage];
    let text = "";
    for await (const chunk of reply) text += String(chunk);
    return { status: reply.statusCode, text };
  }

  test("serves metrics on loopback, to readers of loopback only, without a secret, and stops when told", async () => {
    const secret = canary("sk-real-");
    broker.secrets.set("model", secret);
    const { port } = await broker.upstream(["api.model.test"], (_request, response) => {
      response.end("hello");
    });
    const address = broker.nextAddress();
    const grant = modelGrant({
      port: broker.port,
      address,
      dial: { host: "127.0.0.1", port, ca: broker.upstreamAuthority.ca },
    });
    await broker.bot("basecamp", [grant]);
    const metricsPort = await freePort();
    const config = { ...broker.config(), telemetry: { metricsPort } };
    assert.equal((await broker.configure(config))?.type, "configured");
    const host = { name: "api.model.test", address };
    await broker.request(host, {
      path: "/v1/models/x",
      headers: { "x-api-key": grant.phantom },
    });
    await broker.request(host, { path: "/nothing", headers: { "x-api-key": grant.phantom } });
    await broker.record(({ outcome }) => outcome === "done");

    const { status, text } = await read(metricsPort);
    assert.equal(status, 200);
    assert.match(
      text,
      /seawall_calls_total\{bot="basecamp",grant="model",kind="call",outcome="done"\} 1/,
    );
    assert.match(text, /seawall_refused_total\{bot="basecamp",code="not-allowed"\} 1/);
    for (const hidden of [secret, grant.phantom, broker.bots[0]?.ingress.token ?? "none"])
      assert.ok(!text.includes(hidden.slice(-16)));

    assert.equal((await read(metricsPort, "/")).status, 404);
    assert.equal((await read(metricsPort, "/metrics", {}, "POST")).status, 405);
    assert.equal((await read(metricsPort, "/metrics", { host: "evil.test" })).status, 421);

    const second = await freePort();
    await broker.configure({ ...config, telemetry: { metricsPort: second } });
    await assert.rejects(read(metricsPort));
    assert.match((await read(second)).text, /outcome="done"\} 1/);
    await broker.configure({ ...config, telemetry: {} });
    await assert.rejects(read(second));
  });

  test("a metrics port that somebody else has refuses the configuration, the one before staying in force", async () => {
    await broker.bot("basecamp", []);
    const first = await freePort();
    const config = broker.config();
    await broker.configure({ ...config, telemetry: { metricsPort: first } });
    const taken = net.createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const answer = await broker.configure({ ...config, telemetry: { metricsPort: port } });
    assert.deepEqual(answer?.type === "refused" ? answer.code : answer, "port-taken");
    assert.equal((await read(first)).status, 200);
    taken.close();
  });
});
