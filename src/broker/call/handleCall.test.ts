import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type { ServerResponse } from "node:http";
import { after, before, describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { chatGrant, modelGrant, tunnelGrant } from "../testing/grants.ts";
import { canary, collect, TestBroker } from "../testing/TestBroker.ts";

/** What the upstream does for a path; set by each test. */
type Act = (response: ServerResponse, body: Buffer) => void;

describe("one call through the broker", () => {
  let t: TestBroker;
  let model: InjectBrokerGrant;
  let chat: InjectBrokerGrant;
  let upstream: Awaited<ReturnType<TestBroker["upstream"]>>;
  const secret = canary("sk-real-");
  const chatSecret = `87654321:${canary("")}`;
  /** Another bot's. */
  let stranger: ReturnType<typeof modelGrant>;
  const acts = new Map<string, Act>();
  const modelHost = { name: "api.model.test", address: "" };
  const chatHost = { name: "api.chat.test", address: "" };
  const tunnelHost = { name: "www.tunnel.test", address: "" };

  before(async () => {
    t = await TestBroker.start();
    t.secrets.set("model", secret).set("chat", chatSecret);
    upstream = await t.upstream(
      ["api.model.test", "api.chat.test", "www.tunnel.test"],
      (request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("error", () => undefined);
        const act = acts.get((request.url ?? "").split("?")[0] ?? "");
        if (request.headers.expect !== undefined) response.writeContinue();
        request.on("end", () => {
          if (act === undefined) response.end(JSON.stringify({ url: "hidden", ok: true }));
          else act(response, Buffer.concat(chunks));
        });
      },
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
    stranger = modelGrant({ port: t.port, address: t.nextAddress(), dial });
    await t.bot("erdos", [stranger]);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });
  after(() => t.end());

  const key = (): Record<string, string> => ({ "x-api-key": model.phantom });

  test("handleCall() puts the secret where the phantom stood in a header, and nowhere else", async () => {
    const reply = await t.request(modelHost, {
      method: "POST",
      path: "/v1/messages?beta=true",
      headers: { ...key(), "X-Other": "kept" },
      body: "{}",
    });
    assert.equal(reply.status, 200);
    const seen = upstream.requests.at(-1);
    assert.equal(seen?.headers["x-api-key"], secret);
    assert.equal(seen?.url, "/v1/messages?beta=true");
    assert.equal(seen?.headers.host, `api.model.test:${t.port}`);
    assert.equal(seen?.headers["accept-encoding"], "identity");
    assert.ok(seen?.rawHeaders.includes("X-Other"));
    const record = await t.record((each) => each.rule === "POST /v1/messages");
    assert.equal(record.decision, "allow");
    assert.equal(record.outcome, "done");
    assert.equal(record.path, "/v1/messages?beta");
    assert.equal(record.bytesOut, 2);
    assert.equal(record.host, `api.model.test:${t.port}`);
  });

  test("handleCall() takes an auth scheme in any case and sends the grant's", async () => {
    await t.request(modelHost, {
      method: "POST",
      path: "/v1/messages",
      headers: { authorization: `bearer ${model.phantom}` },
      body: "{}",
    });
    assert.equal(upstream.requests.at(-1)?.headers.authorization, `Bearer ${secret}`);
  });

  test("handleCall() puts the secret where the phantom stood in a path, and records {secret}", async () => {
    const reply = await t.request(chatHost, { path: `/bot${chat.phantom}/getUpdates?offset=5` });
    assert.equal(reply.status, 200);
    assert.equal(upstream.requests.at(-1)?.url, `/bot${chatSecret}/getUpdates?offset=5`);
    const record = await t.record((each) => each.path === "/bot{secret}/getUpdates?offset");
    assert.equal(record.rule, "* /bot{secret}/**");
  });

  test("handleCall() accepts a percent-encoded phantom in its place", async () => {
    await t.request(chatHost, { path: `/bot${encodeURIComponent(chat.phantom)}/getMe` });
    assert.equal(upstream.requests.at(-1)?.url, `/bot${chatSecret}/getMe`);
  });

  test("handleCall() sends an anonymous call without any credential", async () => {
    const reply = await t.request(modelHost, { path: "/status" });
    assert.equal(reply.status, 200);
    assert.equal(upstream.requests.at(-1)?.headers["x-api-key"], undefined);
  });

  const refused: readonly [string, Parameters<TestBroker["request"]>[1], number, string][] = [
    [
      "a call without the phantom",
      { method: "POST", path: "/v1/messages", body: "{}" },
      403,
      "no-credential",
    ],
    [
      "somebody else's key in a named place",
      { method: "POST", path: "/v1/messages", headers: { "x-api-key": "sk-of-mallory" } },
      403,
      "foreign-credential",
    ],
    ["a method that no rule has", { method: "DELETE", path: "/v1/messages" }, 403, "not-allowed"],
    ["a path that no rule has", { path: "/v1/files" }, 403, "not-allowed"],
    ["a dot segment", { path: "/v1/models/../files" }, 400, "path-ambiguous"],
    ["a dot segment with parameters", { path: "/v1/models/..;/files" }, 400, "path-ambiguous"],
    ["an encoded dot segment", { path: "/v1/models/%2e%2e/files" }, 400, "path-ambiguous"],
    ["an encoded slash", { path: "/v1/models/a%2fb" }, 400, "path-ambiguous"],
    ["an encoded percent sign", { path: "/v1/models/%252e%252e/files" }, 400, "path-ambiguous"],
    ["an empty segment", { path: "/v1/models//x" }, 400, "path-ambiguous"],
    ["a backslash", { path: "/v1/models\\x" }, 400, "path-ambiguous"],
    [
      "an upgrade to another protocol than WebSocket",
      { path: "/v1/models/x", headers: { connection: "Upgrade", upgrade: "h2c" } },
      501,
      "upgrade",
    ],
    [
      "an expectation nobody knows",
      { path: "/v1/models/x", headers: { expect: "200-ok" } },
      417,
      "expectation",
    ],
    [
      "another host's name",
      { path: "/v1/models/x", headers: { host: "api.chat.test" } },
      421,
      "host-mismatch",
    ],
    [
      "the right name with another port",
      { path: "/v1/models/x", headers: { host: "api.model.test:1" } },
      421,
      "host-mismatch",
    ],
  ];
  for (const [what, options, status, code] of refused) {
    test(`handleCall() refuses ${what}`, async () => {
      const before = upstream.requests.length;
      const headers =
        code === "no-credential" || code === "foreign-credential"
          ? options.headers
          : { ...key(), ...options.headers };
      const reply = await t.request(modelHost, {
        ...options,
        ...(headers === undefined ? {} : { headers }),
      });
      assert.equal(reply.status, status);
      assert.equal(reply.headers["x-seawall"], "refused");
      const { error } = JSON.parse(reply.body) as { error: { type: string; code: string } };
      assert.equal(error.type, "seawall_refused");
      assert.equal(error.code, code);
      assert.equal(upstream.requests.length, before);
      await t.record((each) => each.code === code && each.decision === "refuse");
    });
  }

  const stray: readonly [string, () => Parameters<TestBroker["request"]>[1], string][] = [
    [
      "another header",
      () => ({ path: "/v1/models/x", headers: { ...key(), "x-debug": `a ${model.phantom}` } }),
      "phantom-misplaced",
    ],
    [
      "the query",
      () => ({ path: `/v1/models/x?k=${model.phantom}`, headers: key() }),
      "phantom-misplaced",
    ],
    [
      "the query, percent-encoded",
      () => ({ path: `/v1/models/x?k=%73${model.phantom.slice(1)}`, headers: key() }),
      "phantom-misplaced",
    ],
    [
      "the path",
      () => ({ path: `/v1/models/${model.phantom}`, headers: key() }),
      "phantom-misplaced",
    ],
    [
      "another header without the credential",
      () => ({ path: "/status", headers: { "x-debug": model.phantom } }),
      "phantom-misplaced",
    ],
    [
      "another grant's place",
      () => ({ path: "/v1/models/x", headers: { "x-api-key": chat.phantom } }),
      "foreign-phantom",
    ],
    [
      "a credential header nobody named",
      () => ({ path: "/v1/models/x", headers: { ...key(), cookie: "session=mallory" } }),
      "foreign-credential",
    ],
    [
      "a header beside the right one",
      () => ({ path: "/v1/models/x", headers: { ...key(), "x-debug": chat.phantom } }),
      "foreign-phantom",
    ],
  ];
  for (const [where, options, code] of stray) {
    test(`handleCall() refuses a phantom or credential in ${where}`, async () => {
      const before = upstream.requests.length;
      const reply = await t.request(modelHost, options());
      assert.equal((JSON.parse(reply.body) as { error: { code: string } }).error.code, code);
      assert.equal(upstream.requests.length, before);
    });
  }

  test("handleCall() refuses another token in a path place", async () => {
    const reply = await t.request(chatHost, { path: "/bot11111111:AAAAAAAAAAAA/sendMessage" });
    assert.match(reply.body, /foreign-credential/);
    const longer = await t.request(chatHost, { path: `/bot${chat.phantom}x/sendMessage` });
    assert.match(longer.body, /foreign-credential/);
  });

  test("handleCall() lets a bot's own phantom pass in a body, unreplaced", async () => {
    const bodies: string[] = [];
    acts.set("/v1/messages", (response, received) => {
      bodies.push(received.toString());
      response.end("taken");
    });
    const body = `the agent ran env: ${model.phantom} ${chat.phantom}`;
    const reply = await t.request(modelHost, {
      method: "POST",
      path: "/v1/messages",
      headers: { "x-api-key": model.phantom },
      body,
    });
    assert.equal(reply.status, 200);
    assert.equal(bodies.join(""), body);
    acts.delete("/v1/messages");
  });

  test("handleCall() cuts a call whose body carries another bot's phantom, however it is cut into chunks", async () => {
    let complete = false;
    acts.set("/v1/messages", (response) => {
      complete = true;
      response.end("never");
    });
    const socket = await t.connect(modelHost.address, modelHost.name);
    const got = collect(socket);
    socket.write(
      `POST /v1/messages HTTP/1.1\r\nHost: api.model.test:${t.port}\r\nx-api-key: ${model.phantom}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const text = `before ${stranger.phantom} after`;
    for (const char of text) socket.write(`1\r\n${char}\r\n`);
    socket.write("0\r\n\r\n");
    socket.end();
    assert.match(await got, /foreign-phantom-in-body/);
    const record = await t.record((each) => each.code === "foreign-phantom-in-body");
    assert.equal(record.outcome, "refused");
    assert.equal(complete, false);
    acts.delete("/v1/messages");
  });

  /** Every way in which a reply may repeat the secret. */
  const echoes: readonly [string, Act][] = [
    ["in the body", (response) => response.end(`<${secret}>`)],
    ["in a header", (response) => response.setHeader("X-Echo", `key=${secret}`).end()],
    [
      "in Location",
      (response) => response.writeHead(302, { Location: `https://x.test/?k=${secret}` }).end(),
    ],
    [
      "in Set-Cookie",
      (response) => response.setHeader("Set-Cookie", [`a=${secret}`, `b=${secret}`]).end(),
    ],
    ["in a header's name", (response) => response.setHeader(`x-${secret}`, "1").end()],
    ["in the reason phrase", (response) => response.writeHead(400, `bad ${secret}`).end()],
    [
      "in base64 of something longer",
      (response) => response.end(Buffer.from(`user:${secret}@`).toString("base64")),
    ],
    [
      "in base64 at another alignment",
      (response) => response.end(Buffer.from(`us:${secret}@`).toString("base64url")),
    ],
    ["in hex", (response) => response.end(Buffer.from(secret).toString("hex"))],
    [
      "in gzip",
      (response) => response.setHeader("Content-Encoding", "gzip").end(gzipSync(`[${secret}]`)),
    ],
    [
      "in zstd",
      (response) =>
        response.setHeader("Content-Encoding", "zstd").end(zstdCompressSync(`[${secret}]`)),
    ],
    [
      "cut into single bytes",
      (response) => {
        response.setHeader("Content-Type", "text/event-stream");
        for (const char of `data: ${secret}\n\n`) response.write(char);
        response.end();
      },
    ],
    [
      "in a trailer",
      (response) => {
        response.setHeader("Trailer", "X-Sum");
        response.write("x");
        response.addTrailers({ "X-Sum": secret });
        response.end();
      },
    ],
  ];
  for (const [where, act] of echoes) {
    test(`handleCall() takes the secret out of a reply that repeats it ${where}`, async () => {
      acts.set("/v1/models/echo", act);
      const reply = await t.request(modelHost, { path: "/v1/models/echo", headers: key() });
      const all = JSON.stringify(reply);
      const raw = Buffer.from(secret.slice(8)); // the random part: shared prefixes prove nothing
      for (const form of [raw.toString(), raw.toString("hex"), raw.toString("base64").slice(4, -4)])
        assert.ok(!all.includes(form), form);
      const decoded = Buffer.from(reply.body, "base64").toString("latin1");
      assert.ok(!decoded.includes(secret.slice(12, -4)));
      acts.delete("/v1/models/echo");
    });
  }

  test("handleCall() shows the phantom where the reply repeats the secret", async () => {
    acts.set("/v1/models/echo", (response) => response.end(`key ${secret} ok`));
    const reply = await t.request(modelHost, { path: "/v1/models/echo", headers: key() });
    assert.equal(reply.body, `key ${model.phantom} ok`);
    acts.delete("/v1/models/echo");
  });

  test("handleCall() refuses a reply in a coding that it can't search", async () => {
    acts.set("/v1/models/odd", (response) =>
      response.setHeader("Content-Encoding", "compress").end(secret),
    );
    const reply = await t.request(modelHost, { path: "/v1/models/odd", headers: key() });
    assert.equal(reply.status, 502);
    assert.match(reply.body, /upstream-coding/);
  });

  test("handleCall() passes each server-sent event on before the next one is made", async () => {
    const next = new EventEmitter();
    acts.set("/v1/models/events", (response) => {
      response.setHeader("Content-Type", "text/event-stream");
      response.write("data: one\n\n");
      next.once("go", () => response.end("data: two\n\n"));
    });
    const socket = await t.connect(modelHost.address, modelHost.name);
    let text = "";
    const seen = new EventEmitter();
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("one\n\n")) seen.emit("one");
    });
    const one = once(seen, "one");
    socket.write(
      `GET /v1/models/events HTTP/1.1\r\nHost: api.model.test:${t.port}\r\nx-api-key: ${model.phantom}\r\nConnection: close\r\n\r\n`,
    );
    await one;
    assert.ok(!text.includes("two"));
    const closed = once(socket, "end");
    next.emit("go");
    await closed;
    assert.ok(text.includes("data: two\n\n"));
    socket.destroy();
  });

  test("handleCall() streams a large body both ways unchanged", async () => {
    const large = Buffer.alloc(3_000_000, "0123456789abcdef");
    acts.set("/v1/messages", (response, body) => response.end(body));
    const reply = await t.request(modelHost, {
      method: "POST",
      path: "/v1/messages",
      headers: key(),
      body: large,
    });
    assert.equal(
      createHash("sha256").update(reply.body).digest("hex"),
      createHash("sha256").update(large).digest("hex"),
    );
    acts.delete("/v1/messages");
  });

  test("handleCall() answers 100-continue itself after its decision, and refuses without one", async () => {
    acts.set("/v1/messages", (response, body) => response.end(body));
    const head = (credential: string): string =>
      `POST /v1/messages HTTP/1.1\r\nHost: api.model.test:${t.port}\r\nx-api-key: ${credential}\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`;
    const socket = await t.connect(modelHost.address, modelHost.name);
    const got = collect(socket);
    socket.write(head(model.phantom));
    await once(socket, "data");
    socket.write("ok");
    assert.match(await got, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK[^]*ok/);
    const no = await t.raw(modelHost, head("sk-of-mallory"));
    assert.match(no, /^HTTP\/1\.1 403 /);
    acts.delete("/v1/messages");
  });

  test("handleCall() gives HEAD, 204 and 304 no body and keeps the connection in step", async () => {
    acts.set("/v1/models/empty", (response) => response.writeHead(204).end());
    acts.set("/v1/models/same", (response) => response.writeHead(304, { ETag: '"x"' }).end());
    acts.set("/v1/models/full", (response) => response.end("body"));
    const socket = await t.connect(modelHost.address, modelHost.name);
    const got = collect(socket);
    const line = (method: string, path: string, last = false): string =>
      `${method} /v1/models/${path} HTTP/1.1\r\nHost: api.model.test:${t.port}\r\nx-api-key: ${model.phantom}\r\n${last ? "Connection: close\r\n" : ""}\r\n`;
    socket.write(
      line("GET", "empty") + line("GET", "same") + line("HEAD", "full") + line("GET", "full", true),
    );
    const text = await got;
    // HEAD is no rule of the grant: refused without a body.
    assert.deepEqual(
      [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
      ["204", "304", "403", "200"],
    );
    assert.match(text, /body/);
  });

  test("handleCall() ends the upstream's call when the bot goes away", async () => {
    const gone = new EventEmitter();
    acts.set("/v1/models/slow", (response) => {
      response.write("first");
      response.once("close", () => gone.emit("gone"));
    });
    const socket = await t.connect(modelHost.address, modelHost.name);
    socket.write(
      `GET /v1/models/slow HTTP/1.1\r\nHost: api.model.test:${t.port}\r\nx-api-key: ${model.phantom}\r\n\r\n`,
    );
    await once(socket, "data");
    const ended = once(gone, "gone");
    socket.destroy();
    await ended;
    const record = await t.record((each) => each.path === "/v1/models/slow");
    assert.equal(record.outcome, "client-abort");
  });

  test("handleCall() ends the upstream's call when the bot goes away before there is an answer", async () => {
    const seen = new EventEmitter();
    acts.set("/v1/models/thinking", (response) => {
      seen.emit("begun");
      response.once("close", () => seen.emit("gone"));
    });
    const begun = once(seen, "begun");
    const socket = await t.connect(modelHost.address, modelHost.name);
    socket.write(
      `GET /v1/models/thinking HTTP/1.1\r\nHost: api.model.test:${t.port}\r\nx-api-key: ${model.phantom}\r\n\r\n`,
    );
    await begun;
    const gone = once(seen, "gone");
    socket.destroy();
    await gone;
    const record = await t.record((each) => each.path === "/v1/models/thinking");
    assert.equal(record.outcome, "client-abort");
  });

  test("handleCall() cuts the reply when the upstream closes in the middle", async () => {
    acts.set("/v1/models/half", (response) => {
      response.setHeader("Content-Length", "100");
      response.write("half", () => response.destroy());
    });
    await assert.rejects(t.request(modelHost, { path: "/v1/models/half", headers: key() }));
    const record = await t.record((each) => each.path === "/v1/models/half");
    assert.equal(record.outcome, "upstream-error");
  });

  test("handleCall() does not follow a redirect", async () => {
    const before = upstream.requests.length;
    acts.set("/v1/models/moved", (response) =>
      response.writeHead(307, { Location: "https://evil.test/" }).end(),
    );
    const reply = await t.request(modelHost, { path: "/v1/models/moved", headers: key() });
    assert.equal(reply.status, 307);
    assert.equal(upstream.requests.length, before + 1);
  });

  test("handleCall() refuses when the store can't give the secret, and says so to the supervisor", async () => {
    t.secrets.delete("model");
    const before = upstream.requests.length;
    const reply = await t.request(modelHost, { path: "/v1/models/x", headers: key() });
    t.secrets.set("model", secret);
    assert.equal(reply.status, 503);
    assert.equal(upstream.requests.length, before);
    assert.ok(
      t.sent.some((message) => message.type === "health" && message.key === "secret:model"),
    );
    await t.request(modelHost, { path: "/v1/models/x", headers: key() });
    assert.deepEqual(t.sent.at(-1), { type: "health-clear", key: "secret:model" });
  });

  const smuggled: readonly [string, string][] = [
    [
      "two Hosts",
      "GET /v1/models/x HTTP/1.1\r\nHost: api.model.test:PORT\r\nHost: evil.test\r\nKEY\r\n\r\n",
    ],
    ["no Host", "GET /v1/models/x HTTP/1.1\r\nKEY\r\n\r\n"],
    [
      "an absolute target",
      "GET https://api.model.test:PORT/v1/models/x HTTP/1.1\r\nHost: api.model.test:PORT\r\nKEY\r\n\r\n",
    ],
    ["an asterisk target", "OPTIONS * HTTP/1.1\r\nHost: api.model.test:PORT\r\nKEY\r\n\r\n"],
    ["CONNECT", "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\nKEY\r\n\r\n"],
    [
      "a length and chunks",
      "POST /v1/messages HTTP/1.1\r\nHost: api.model.test:PORT\r\nKEY\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    [
      "two lengths",
      "POST /v1/messages HTTP/1.1\r\nHost: api.model.test:PORT\r\nKEY\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
    ],
    [
      "a list of lengths",
      "POST /v1/messages HTTP/1.1\r\nHost: api.model.test:PORT\r\nKEY\r\nContent-Length: 5, 5\r\n\r\nhello",
    ],
    [
      "an odd transfer coding",
      "POST /v1/messages HTTP/1.1\r\nHost: api.model.test:PORT\r\nKEY\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ],
    ["bare line feeds", "GET /v1/models/x HTTP/1.1\nHost: api.model.test:PORT\nKEY\n\n"],
    [
      "a folded header",
      "GET /v1/models/x HTTP/1.1\r\nHost: api.model.test:PORT\r\nKEY\r\nX-A: b\r\n c\r\n\r\n",
    ],
    [
      "a blank before the colon",
      "GET /v1/models/x HTTP/1.1\r\nHost : api.model.test:PORT\r\nKEY\r\n\r\n",
    ],
    ["HTTP/1.0", "GET /v1/models/x HTTP/1.0\r\nHost: api.model.test:PORT\r\nKEY\r\n\r\n"],
    ["a fragment", "GET /v1/models/x#y HTTP/1.1\r\nHost: api.model.test:PORT\r\nKEY\r\n\r\n"],
    [
      "a header flood",
      `GET /v1/models/x HTTP/1.1\r\nHost: api.model.test:PORT\r\nKEY\r\n${"X-A: b\r\n".repeat(1500)}\r\n`,
    ],
    [
      "an overlong header",
      `GET /v1/models/x HTTP/1.1\r\nHost: api.model.test:PORT\r\nKEY\r\nX-A: ${"b".repeat(40_000)}\r\n\r\n`,
    ],
    [
      "the credential twice",
      "GET /v1/models/x HTTP/1.1\r\nHost: api.model.test:PORT\r\nKEY\r\nKEY\r\n\r\n",
    ],
  ];
  for (const [what, bytes] of smuggled) {
    test(`handleCall() refuses and records a request with ${what}`, async () => {
      const before = upstream.requests.length;
      const records = t.records().length;
      const request = bytes
        .replaceAll("PORT", String(t.port))
        .replaceAll("KEY", `x-api-key: ${model.phantom}`);
      const socket = await t.connect(modelHost.address, modelHost.name);
      const got = collect(socket);
      socket.write(request, "latin1");
      await once(socket, "readable").catch(() => undefined);
      socket.end();
      const text = await got;
      assert.match(text, /^HTTP\/1\.1 4\d\d /);
      assert.match(text, /x-seawall: refused/);
      assert.equal(upstream.requests.length, before);
      await t.record(() => t.records().length > records);
      assert.equal(t.records().length, records + 1);
    });
  }

  test("handleCall() still takes the credential when Connection names its header, and forwards no other hop's", async () => {
    await t.request(modelHost, {
      path: "/v1/models/x",
      headers: {
        ...key(),
        connection: "x-api-key, x-hop",
        "x-hop": "1",
        te: "trailers",
        "x-http-method-override": "DELETE",
      },
    });
    const seen = upstream.requests.at(-1);
    assert.equal(seen?.headers["x-api-key"], secret);
    assert.equal(seen?.headers["x-hop"], undefined);
    assert.equal(seen?.headers.te, undefined);
    assert.equal(seen?.headers["x-http-method-override"], undefined);
  });

  test("handleCall() does not let the secret be fetched in slices", async () => {
    await t.request(modelHost, {
      path: "/v1/models/x",
      headers: { ...key(), range: "bytes=0-3", "if-range": '"x"' },
    });
    assert.equal(upstream.requests.at(-1)?.headers.range, undefined);
    assert.equal(upstream.requests.at(-1)?.headers["if-range"], undefined);
  });

  test("handleCall() gives up on a head that never comes to an end", async () => {
    const socket = await t.connect(modelHost.address, modelHost.name);
    const got = collect(socket);
    socket.write("GET /v1/models/x HTTP/1.1\r\nHost: ");
    assert.match(await got, /^HTTP\/1\.1 408 [^]*request-slow/);
  });

  test("handleCall() cuts a connection that pipelines without end", async () => {
    acts.set("/v1/models/wait", () => undefined);
    const one = `GET /v1/models/wait HTTP/1.1\r\nHost: api.model.test:${t.port}\r\nx-api-key: ${model.phantom}\r\n\r\n`;
    const before = upstream.requests.length;
    await t.raw(modelHost, one.repeat(200));
    assert.ok(upstream.requests.length - before <= 16);
    await t.record((each) => each.code === "too-many-connections");
    acts.delete("/v1/models/wait");
  });

  test("openTunnel() passes the bytes through without ending TLS", async () => {
    const socket = await t.connect(tunnelHost.address, tunnelHost.name, {
      ca: t.upstreamAuthority.ca,
    });
    assert.equal(socket.authorized, true);
    const got = collect(socket);
    socket.write("GET /anything HTTP/1.1\r\nHost: www.tunnel.test\r\nConnection: close\r\n\r\n");
    assert.match(await got, /"ok":true/);
    const record = await t.record((each) => each.kind === "tunnel");
    assert.equal(record.outcome, "done");
    assert.ok((record.bytesIn ?? 0) > 100 && (record.bytesOut ?? 0) > 100);
  });

  test("the broker writes neither a secret nor a phantom anywhere", () => {
    const all = t.everything().toLowerCase();
    for (const marker of [secret, chatSecret, model.phantom, chat.phantom])
      assert.ok(!all.includes(marker.toLowerCase().slice(9)), "found");
  });
});
