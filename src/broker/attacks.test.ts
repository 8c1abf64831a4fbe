import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import type { BrokerGrant } from "./BrokerConfig.ts";
import type { InjectBrokerGrant } from "./Deployment.ts";
import { makeAuthority } from "./testing/certificates.ts";
import { chatGrant, modelGrant, tunnelGrant } from "./testing/grants.ts";
import { tcpHandle } from "./testing/rawHandles.ts";
import { canary, collect, TestBroker } from "./testing/TestBroker.ts";

describe("somebody in the bot's place who wants the key", () => {
  let t: TestBroker;
  let model: InjectBrokerGrant;
  let chat: InjectBrokerGrant;
  let other: InjectBrokerGrant;
  const secret = canary("sk-real-");
  const modelHost = { name: "api.model.test", address: "" };
  const chatHost = { name: "api.chat.test", address: "" };
  const tunnelHost = { name: "www.tunnel.test", address: "" };
  let upstream: Awaited<ReturnType<TestBroker["upstream"]>>;
  /** Listener of the second bot. */
  let otherPort = 0;

  before(async () => {
    t = await TestBroker.start({
      resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
    });
    t.secrets
      .set("model", secret)
      .set("chat", `1234:${canary("")}`)
      .set("other", canary("sk-other-"));
    upstream = await t.upstream(["api.model.test", "api.chat.test"], (_request, response) =>
      response.end("ok"),
    );
    const dial = { host: "127.0.0.1", port: upstream.port, ca: t.upstreamAuthority.ca };
    for (const host of [modelHost, chatHost, tunnelHost]) host.address = t.nextAddress();
    model = modelGrant({ port: t.port, address: modelHost.address, dial });
    chat = chatGrant({ port: t.port, address: chatHost.address, dial });
    await t.bot("basecamp", [
      model,
      chat,
      tunnelGrant({ port: t.port, address: tunnelHost.address, dial }),
    ]);
    const second = tcpHandle();
    otherPort = second.port;
    other = modelGrant(
      { port: second.port, address: modelHost.address, dial },
      { secret: "other" },
    );
    await t.broker.receive(
      { type: "listener", bot: "erdos", protocol: "tcp", port: second.port, family: 4 },
      second.handle,
    );
    await t.bot("erdos", [other]);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });
  after(() => t.end());

  /** One call with its own grant, in a deployment changed for it. */
  async function callWith(
    grant: BrokerGrant,
    host: { name: string; address: string },
    path = "/v1/models/x",
  ): ReturnType<TestBroker["request"]> {
    const [first] = t.bots;
    assert.ok(first !== undefined);
    assert.deepEqual(
      await t.configure(
        t.config([
          { ...first, grants: [grant], certificate: await t.authority.issue([host.name]) },
        ]),
      ),
      { type: "configured" },
    );
    const headers: Record<string, string> =
      grant.kind === "inject" ? { "x-api-key": grant.phantom } : {};
    const reply = await t.request(host, { path, headers });
    assert.deepEqual(await t.configure(), { type: "configured" });
    return reply;
  }

  test("another bot's phantom is refused", async () => {
    const reply = await t.request(modelHost, {
      path: "/v1/models/x",
      headers: { "x-api-key": other.phantom },
    });
    assert.equal(reply.status, 403);
    const beside = await t.request(modelHost, {
      path: "/v1/models/x",
      headers: { "x-api-key": model.phantom, "x-debug": other.phantom },
    });
    assert.match(beside.body, /foreign-phantom/);
    assert.ok(otherPort > 0);
  });

  test("a server name other than the dialled address's host is refused with an alert and a record", async () => {
    await assert.rejects(t.connect(modelHost.address, "api.chat.test"), {
      code: "ERR_SSL_TLSV1_UNRECOGNIZED_NAME",
    });
    await assert.rejects(t.connect(tunnelHost.address, "api.chat.test"), {
      code: "ERR_SSL_TLSV1_UNRECOGNIZED_NAME",
    });
    await t.record((each) => each.code === "sni-mismatch" && each.kind === "connect");
  });

  test("no server name is refused", async () => {
    await assert.rejects(t.connect(modelHost.address, undefined));
    await t.record((each) => each.code === "sni-missing");
  });

  test("an address that no grant has is cut and recorded, whatever is said there", async () => {
    const address = t.nextAddress();
    await assert.rejects(t.connect(address, "api.model.test"));
    const record = await t.record((each) => each.code === "unknown-address");
    assert.equal(record.host, `${address}:${t.port}`);
  });

  test("plain HTTP on a TLS host is refused", async () => {
    const socket = net.connect(t.port, modelHost.address);
    const got = collect(socket);
    socket.write("GET / HTTP/1.1\r\nHost: api.model.test\r\n\r\n");
    assert.match(await got, /not-tls/);
  });

  test("a ClientHello that never comes to an end is given up", async () => {
    const socket = net.connect(t.port, modelHost.address);
    const got = collect(socket);
    socket.write(Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 0xfc]));
    await got;
    await t.record((each) => each.code === "client-hello-slow");
  });

  test("TLS 1.1 and unknown protocols are not spoken", async () => {
    await assert.rejects(
      t.connect(modelHost.address, modelHost.name, {
        minVersion: "TLSv1.1",
        maxVersion: "TLSv1.1",
        ciphers: "ALL@SECLEVEL=0",
      }),
    );
    await assert.rejects(
      t.connect(modelHost.address, modelHost.name, { ALPNProtocols: ["spdy/3"] }),
    );
    await t.record((each) => each.code === "tls-handshake");
  });

  test("a keep-alive connection can't change its host on the way", async () => {
    const text = await t.raw(
      modelHost,
      `GET /v1/models/a HTTP/1.1\r\nHost: api.model.test:${t.port}\r\nx-api-key: ${model.phantom}\r\n\r\n` +
        `GET /bot${chat.phantom}/getMe HTTP/1.1\r\nHost: api.chat.test:${t.port}\r\nConnection: close\r\n\r\n`,
    );
    assert.deepEqual(
      [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
      ["200", "421"],
    );
  });

  test("an upstream with a certificate of another CA, for another name or out of date gets nothing", async () => {
    const foreign = await makeAuthority("mallory");
    const dial = { host: "127.0.0.1", ca: t.upstreamAuthority.ca };
    const cases = [
      await t.upstream(["api.model.test"], () => assert.fail("reached"), foreign),
      await t.upstream(["api.other.test"], () => assert.fail("reached")),
    ];
    for (const { port, requests } of cases) {
      const grant = modelGrant({
        port: t.port,
        address: modelHost.address,
        dial: { ...dial, port },
      });
      const reply = await callWith(grant, modelHost);
      assert.match(reply.body, /upstream-untrusted/);
      assert.equal(requests.length, 0);
    }
    const { chain, key } = await t.upstreamAuthority.issue(["api.model.test"], {
      notAfter: new Date(Date.now() - 1000),
    });
    const port = await t.plainServer(
      tls.createServer({ cert: chain, key }, () => assert.fail("reached")),
    );
    const grant = modelGrant({ port: t.port, address: modelHost.address, dial: { ...dial, port } });
    assert.match((await callWith(grant, modelHost)).body, /upstream-untrusted/);
  });

  test("a granted name that resolves to a loopback address is not dialled", async () => {
    const grant = modelGrant({
      port: t.port,
      address: modelHost.address,
      dial: { port: upstream.port, ca: t.upstreamAuthority.ca },
    });
    const before = upstream.connections();
    assert.match((await callWith(grant, modelHost)).body, /address-refused/);
    assert.equal(upstream.connections(), before);
  });

  test("a secret does not go over plain HTTP to a public address", async () => {
    const grant = modelGrant({
      port: t.port,
      address: modelHost.address,
      dial: { host: "198.51.100.7" },
    });
    const plain = {
      ...grant,
      hosts: grant.hosts.map((host) => ({ ...host, scheme: "http" as const })),
    };
    const [first] = t.bots;
    assert.ok(first !== undefined);
    assert.deepEqual(await t.configure(t.config([{ ...first, grants: [plain] }])), {
      type: "configured",
    });
    const socket = net.connect(t.port, modelHost.address);
    const got = collect(socket);
    socket.write(
      `GET /v1/models/x HTTP/1.1\r\nHost: api.model.test:${t.port}\r\nx-api-key: ${plain.phantom}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(await got, /address-refused/);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });

  test("a plain HTTP host on a private address works, with the same checks", async () => {
    const seen: http.IncomingMessage[] = [];
    const port = await t.plainServer(
      http.createServer((request, response) => {
        seen.push(request);
        response.end(`echo ${String(request.headers["x-api-key"])}`);
      }),
    );
    const grant = modelGrant({
      port: t.port,
      address: modelHost.address,
      dial: { host: "127.0.0.1", port },
    });
    const plain = {
      ...grant,
      hosts: grant.hosts.map((host) => ({ ...host, scheme: "http" as const })),
    };
    const [first] = t.bots;
    assert.ok(first !== undefined);
    assert.deepEqual(await t.configure(t.config([{ ...first, grants: [plain] }])), {
      type: "configured",
    });
    const socket = net.connect(t.port, modelHost.address);
    const got = collect(socket);
    socket.write(
      `GET /v1/models/x HTTP/1.1\r\nHost: api.model.test:${t.port}\r\nx-api-key: ${plain.phantom}\r\nConnection: close\r\n\r\n`,
    );
    const text = await got;
    assert.ok(text.includes(`echo ${plain.phantom}`));
    assert.equal(seen[0]?.headers["x-api-key"], secret);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });

  const odd: readonly [string, (socket: net.Socket) => void, RegExp][] = [
    ["closes without a word", (socket) => socket.destroy(), /upstream-unreachable/],
    ["speaks no HTTP", (socket) => socket.end("SSH-2.0-x\r\n\r\n"), /upstream-protocol/],
    [
      "sends a length and chunks",
      (socket) =>
        socket.end("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"),
      /upstream-protocol/,
    ],
    [
      "switches protocols unasked",
      (socket) =>
        socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
      /upstream-protocol/,
    ],
    [
      "floods with headers",
      (socket) => socket.end(`HTTP/1.1 200 OK\r\n${`X-A: ${"a".repeat(900)}\r\n`.repeat(90)}\r\n`),
      /upstream-protocol/,
    ],
  ];
  for (const [what, act, code] of odd) {
    test(`an upstream that ${what} is a plain 502`, async () => {
      const { port } = await t.rawUpstream(["api.model.test"], (socket) =>
        socket.once("data", () => act(socket)),
      );
      const grant = modelGrant({
        port: t.port,
        address: modelHost.address,
        dial: { host: "127.0.0.1", port, ca: t.upstreamAuthority.ca },
      });
      const reply = await callWith(grant, modelHost);
      assert.equal(reply.status, 502);
      assert.match(reply.body, code);
      assert.ok(!reply.body.includes("127.0.0.1"));
    });
  }

  test("interim replies and a connection closed at the end of a body are passed on rightly", async () => {
    const { port } = await t.rawUpstream(["api.model.test"], (socket) =>
      socket.once("data", () =>
        socket.end(
          `HTTP/1.1 103 Early Hints\r\nLink: <${secret}>\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end ${secret}`,
        ),
      ),
    );
    const grant = modelGrant({
      port: t.port,
      address: modelHost.address,
      dial: { host: "127.0.0.1", port, ca: t.upstreamAuthority.ca },
    });
    const reply = await callWith(grant, modelHost);
    assert.equal(reply.body, `to the end ${grant.phantom}`);
  });

  test("a stale keep-alive connection is tried once more for a GET, never for a POST", async () => {
    let connections = 0;
    let served = 0;
    const { port } = await t.rawUpstream(["api.model.test"], (socket) => {
      connections += 1;
      let requests = 0;
      socket.on("data", (chunk: Buffer) => {
        if (!/^[A-Z]+ /.test(chunk.toString("latin1"))) return;
        requests += 1;
        // The second request on a connection meets a server that has just given it up.
        if (requests > 1) socket.destroy();
        else {
          served += 1;
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
      });
    });
    const grant = modelGrant({
      port: t.port,
      address: modelHost.address,
      dial: { host: "127.0.0.1", port, ca: t.upstreamAuthority.ca },
    });
    const [first] = t.bots;
    assert.ok(first !== undefined);
    assert.deepEqual(await t.configure(t.config([{ ...first, grants: [grant] }])), {
      type: "configured",
    });
    const headers = { "x-api-key": grant.phantom };
    assert.equal((await t.request(modelHost, { path: "/v1/models/x", headers })).status, 200);
    assert.equal((await t.request(modelHost, { path: "/v1/models/x", headers })).status, 200);
    assert.equal(connections, 2);
    const post = await t.request(modelHost, {
      method: "POST",
      path: "/v1/messages",
      headers,
      body: "{}",
    });
    assert.equal(post.status, 502);
    assert.equal(served, 2);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });

  test("a secret that could split a header never gets into one", async () => {
    t.secrets.set("model", `sk-real\r\nX-Evil: 1`);
    const reply = await t.request(modelHost, {
      path: "/v1/models/x",
      headers: { "x-api-key": model.phantom },
    });
    assert.equal(reply.status, 503);
    const answer = await t.configure();
    assert.equal(answer?.type === "refused" ? answer.code : "", "secret-unusable");
    t.secrets.set("model", secret);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });

  test("a refused configuration leaves the one before it in force", async () => {
    const [first] = t.bots;
    assert.ok(first !== undefined);
    const taken = net.createServer();
    taken.listen(0, "127.0.0.1");
    await once(taken, "listening");
    const port = (taken.address() as net.AddressInfo).port;
    const bad = [
      t.config([{ ...first, ingress: { ...first.ingress, port } }]),
      t.config([{ ...first, grants: [{ ...model, secret: "unheard-of" }] }]),
      t.config([first, first]),
      t.config([{ ...first, certificate: { chain: "x", key: "y" } }]),
      { ...t.config(), audit: { file: "/nonexistent/audit.jsonl" } },
    ];
    const codes: string[] = [];
    for (const config of bad) {
      const answer = await t.configure(config);
      codes.push(answer?.type === "refused" ? answer.code : String(answer?.type));
    }
    taken.close();
    assert.deepEqual(codes, [
      "port-taken",
      "config-invalid",
      "config-invalid",
      "certificate-invalid",
      "audit-unwritable",
    ]);
    assert.equal(
      (
        await t.request(modelHost, {
          path: "/v1/models/x",
          headers: { "x-api-key": model.phantom },
        })
      ).status,
      200,
    );
  });

  test("a changed configuration holds from the next call on, on connections that are there too", async () => {
    const socket = await t.connect(modelHost.address, modelHost.name);
    const ask = `GET /v1/models/x HTTP/1.1\r\nHost: api.model.test:${t.port}\r\nx-api-key: ${model.phantom}\r\n\r\n`;
    socket.write(ask);
    const [one] = (await once(socket, "data")) as [Buffer];
    assert.match(one.toString(), /^HTTP\/1\.1 200/);
    const [first] = t.bots;
    assert.ok(first !== undefined);
    await t.configure(t.config([{ ...first, grants: [{ ...model, rules: [] }] }]));
    const got = collect(socket);
    socket.end(ask);
    assert.match(await got, /HTTP\/1\.1 403[^]*not-allowed/);
    await t.configure();
  });

  test("a host is identified by its IPv6 address too, and an IPv6 literal is granted by itself", async (context) => {
    let six: ReturnType<typeof tcpHandle>;
    try {
      six = tcpHandle("::1");
    } catch {
      context.skip("needs IPv6 on the loopback interface");
      return;
    }
    const dial = { host: "127.0.0.1", port: upstream.port, ca: t.upstreamAuthority.ca };
    const grant = modelGrant({ port: six.port, address: modelHost.address, dial });
    const named = {
      ...grant,
      hosts: [
        { name: "api.model.test", port: six.port, scheme: "https" as const, v6: "0:0:0:0:0:0:0:1" },
      ],
    };
    const [first] = t.bots;
    assert.ok(first !== undefined);
    await t.broker.receive(
      { type: "listener", bot: "basecamp", protocol: "tcp", port: six.port, family: 6 },
      six.handle,
    );
    assert.deepEqual(await t.configure(t.config([{ ...first, grants: [named] }])), {
      type: "configured",
    });
    const socket = await t.connect("::1", "api.model.test", { port: six.port });
    const got = collect(socket);
    socket.write(
      `GET /v1/models/x HTTP/1.1\r\nHost: api.model.test:${six.port}\r\nx-api-key: ${grant.phantom}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(await got, /^HTTP\/1\.1 200/);
    const literal = {
      ...named,
      hosts: [{ name: "::1", port: six.port, scheme: "https" as const, v6: "::1" }],
    };
    const certificate = await t.authority.issue(["::1"]);
    assert.deepEqual(await t.configure(t.config([{ ...first, certificate, grants: [literal] }])), {
      type: "configured",
    });
    const unnamed = await t.connect("::1", undefined, { port: six.port });
    const refused = collect(unnamed);
    unnamed.write(
      `GET /v1/models/x HTTP/1.1\r\nHost: [::1]:${six.port}\r\nx-api-key: ${grant.phantom}\r\nConnection: close\r\n\r\n`,
    );
    // It gets as far as the upstream, whose certificate is not for the literal.
    assert.match(await refused, /upstream-untrusted/);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });

  test("drop cuts a bot's connections and closes its listeners", async () => {
    const socket = net.connect(otherPort, modelHost.address);
    await once(socket, "connect");
    const closed = once(socket, "close");
    socket.on("error", () => undefined);
    // Until it was accepted it can't be cut: a refusal there shows that it was.
    await assert.rejects(t.connect(modelHost.address, "x.test", { port: otherPort }));
    await t.broker.receive({ type: "drop", bot: "erdos" });
    await closed;
    await assert.rejects(t.connect(modelHost.address, modelHost.name, { port: otherPort }), {
      code: "ECONNREFUSED",
    });
  });

  test("nothing of it left a secret, a phantom or a token in what the broker wrote", () => {
    const all = t.everything().toLowerCase();
    const markers = [
      ...t.secrets.values(),
      model.phantom,
      chat.phantom,
      other.phantom,
      ...t.bots.map((bot) => bot.ingress.token),
    ];
    for (const marker of markers) assert.ok(!all.includes(marker.toLowerCase().slice(-20)));
  });
});
