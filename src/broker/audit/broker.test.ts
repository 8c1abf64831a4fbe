import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, test } from "node:test";
import { makeSigningKey, openReader, publicKeyOf } from "../../record/index.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { modelGrant } from "../testing/grants.ts";
import { canary, TestBroker } from "../testing/TestBroker.ts";

describe("the record of a broker that signs", () => {
  const key = makeSigningKey();
  let broker: TestBroker;
  let grant: InjectBrokerGrant;
  let host: { name: string; address: string };
  let file: string;
  beforeEach(async () => {
    broker = await TestBroker.start();
    broker.secrets.set("model", canary("sk-real-"));
    const { port } = await broker.upstream(["api.model.test"], (_request, response) => {
      response.end("hello");
    });
    host = { name: "api.model.test", address: broker.nextAddress() };
    grant = modelGrant({
      port: broker.port,
      address: host.address,
      dial: { host: "127.0.0.1", port, ca: broker.upstreamAuthority.ca },
    });
    await broker.bot("basecamp", [grant]);
    const config = broker.config();
    file = config.audit.file;
    const answer = await broker.configure({
      ...config,
      audit: { ...config.audit, signingKey: key },
    });
    assert.equal(answer?.type, "configured");
  });
  afterEach(async () => {
    await broker.end();
  });

  test("tells the HTTP version and the times, and of connecting only where that was done", async () => {
    const headers = { "x-api-key": grant.phantom };
    for (const path of ["/v1/models/one", "/v1/models/two"]) {
      await broker.request(host, { path, headers });
      await broker.record((record) => record.path === path);
    }
    const [one, two] = broker.records();
    assert.equal(one?.httpVersion, "1.1");
    assert.equal(typeof one?.connectMs, "number");
    assert.ok((one?.firstByteMs ?? -1) >= (one?.connectMs ?? 0));
    assert.equal(typeof two?.firstByteMs, "number");
    assert.equal(two?.connectMs, undefined);
  });

  test("stays whole whatever bytes a bot puts into method, path, query, Host and version", async () => {
    const auth = `Host: api.model.test:${broker.port}\r\nx-api-key: ${grant.phantom}\r\n`;
    const forged = String.raw`/v1/models/","outcome":"done"}\n{"seq":1,"kind":"checkpoint","x":"`;
    for (const head of [
      `GET ${forged} HTTP/1.1\r\n${auth}`,
      `GET /v1/models/a%0a{"seq":2}%00 HTTP/1.1\r\n${auth}`,
      `GET /v1/models/\u00ff\u00fe\u0080 HTTP/1.1\r\n${auth}`,
      `GET /v1/models/a\n{"seq":3} HTTP/1.1\r\n${auth}`,
      `GET /v1/models/x?"},{"a\u001b[2J=1&=SUM(A1) HTTP/1.1\r\n${auth}`,
      `","x":" / HTTP/1.1\r\n${auth}`,
      `GET / HTTP/1.1","hash":"\r\n${auth}`,
      `GET / HTTP/1.1\r\nHost: evil","bot":"other\r\nx-api-key: ${grant.phantom}\r\n`,
      `GET /v1/models/${"a".repeat(20_000)} HTTP/1.1\r\n${auth}`,
      `GET /${"b".repeat(1 << 20)} HTTP/1.1\r\n${auth}`,
    ])
      await broker.raw(host, `${head}Connection: close\r\n\r\n`);
    // A control: an ordinary call still passes.
    await broker.request(host, {
      path: "/v1/models/last",
      headers: { "x-api-key": grant.phantom },
    });
    await broker.record((record) => record.path === "/v1/models/last");
    await broker.broker.receive({ type: "stop", graceMs: 0 });

    const bytes = readFileSync(file);
    assert.ok(bytes.every((byte) => byte === 10 || (byte >= 0x20 && byte <= 0x7e)));
    const calls = broker.records().filter((record) => record.id !== undefined);
    assert.equal(calls.length, 11, "one line for each");
    assert.ok(calls.every(({ bot }) => bot === "basecamp"));
    assert.ok(bytes.length < 20_000);
    assert.ok(!bytes.includes(grant.phantom));
    const { verifyRecord } = await openReader();
    const result = await verifyRecord(file, { keys: [publicKeyOf(key)] });
    assert.deepEqual(result.findings, []);
    assert.deepEqual([result.signed, result.checkpoints], [true, 1]);
  });
});
