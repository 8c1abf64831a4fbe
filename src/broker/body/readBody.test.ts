import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { modelGrant } from "../testing/grants.ts";
import { canary, TestBroker } from "../testing/TestBroker.ts";

describe("bodies through the broker", () => {
  let t: TestBroker;
  let streamed: InjectBrokerGrant;
  let collected: InjectBrokerGrant;
  let stranger: InjectBrokerGrant;
  const secret = canary("sk-real-");
  const streamedHost = { name: "api.model.test", address: "" };
  const collectedHost = { name: "json.model.test", address: "" };
  /** As the upstream got them whole. */
  const bodies: string[] = [];

  before(async () => {
    t = await TestBroker.start();
    t.secrets.set("model", secret);
    const upstream = await t.upstream(
      ["api.model.test", "json.model.test"],
      (request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("error", () => undefined);
        request.on("end", () => {
          bodies.push(Buffer.concat(chunks).toString());
          response.end(Buffer.concat(chunks));
        });
      },
    );
    const dial = { host: "127.0.0.1", port: upstream.port, ca: t.upstreamAuthority.ca };
    streamedHost.address = t.nextAddress();
    collectedHost.address = t.nextAddress();
    streamed = modelGrant({ port: t.port, address: streamedHost.address, dial });
    collected = modelGrant(
      { port: t.port, address: collectedHost.address, dial },
      {
        name: "json",
        phantom: canary("sk-phantom-"),
        hosts: [
          { name: collectedHost.name, port: t.port, scheme: "https", v4: collectedHost.address },
        ],
        places: [{ in: "json", pointer: "/key" }],
        rules: [{ method: "POST", path: "/**" }],
      },
    );
    stranger = modelGrant(
      { port: t.port, address: t.nextAddress(), dial },
      { phantom: canary("sk-stranger-") },
    );
    await t.bot("basecamp", [streamed, collected]);
    await t.bot("erdos", [stranger]);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });
  after(() => t.end());

  const codings = [
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
  ] as const;
  const post = (coding: string, body: Buffer): ReturnType<TestBroker["request"]> =>
    t.request(streamedHost, {
      method: "POST",
      path: "/v1/messages",
      headers: {
        "x-api-key": streamed.phantom,
        "content-encoding": coding,
        "content-length": String(body.length),
      },
      body,
    });

  for (const [coding, pack] of codings) {
    test(`a body packed by ${coding} arrives as it reads, the bot's own phantom in it`, async () => {
      const text = `${streamed.phantom} ${"x".repeat(200_000)}`;
      const reply = await post(coding, pack(text));
      assert.equal(reply.status, 200);
      assert.equal(bodies.at(-1), text);
    });

    test(`another bot's phantom in a body packed by ${coding} is found`, async () => {
      const before = bodies.length;
      const reply = await post(coding, pack(`x ${stranger.phantom} y`));
      assert.match(reply.body, /foreign-phantom-in-body/);
      assert.equal(bodies.length, before);
    });
  }

  test("a body that isn't what its coding says is refused, and the upstream never sees an end", async () => {
    const before = bodies.length;
    for (const [coding, body] of [
      ["gzip", Buffer.from("not packed")],
      ["br", brotliCompressSync("cut").subarray(0, -2)],
      ["compress", Buffer.from("x")],
      ["gzip, br", gzipSync("x")],
    ] as const) {
      const reply = await post(coding, body);
      assert.match(reply.body, /body-unreadable/, coding);
    }
    assert.equal(bodies.length, before);
  });

  test("the secret goes to its place in a body, and comes back as the phantom", async () => {
    const reply = await t.request(collectedHost, {
      method: "POST",
      path: "/x",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key: collected.phantom, log: collected.phantom }),
    });
    assert.equal(bodies.at(-1), JSON.stringify({ key: secret, log: collected.phantom }));
    assert.equal(reply.body, JSON.stringify({ key: collected.phantom, log: collected.phantom }));
  });

  test("a client that waits to be asked for its body is asked before it is read", async () => {
    const socket = await t.connect(collectedHost.address, collectedHost.name);
    const request = http.request({
      createConnection: () => socket,
      host: collectedHost.name,
      port: t.port,
      method: "POST",
      path: "/x",
      headers: {
        expect: "100-continue",
        "content-type": "application/json",
        "transfer-encoding": "chunked",
      },
    });
    // Nothing is sent before the broker asks.
    request.once("continue", () => request.end(JSON.stringify({ key: collected.phantom })));
    request.flushHeaders();
    const status = await new Promise((resolve, reject) => {
      request.once("response", (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.once("error", reject);
    });
    assert.equal(status, 200);
    assert.equal(bodies.at(-1), JSON.stringify({ key: secret }));
  });

  test("no secret is recorded", () => {
    assert.ok(!t.everything().includes(secret));
  });
});
