import assert from "node:assert/strict";
import { once } from "node:events";
import http, { type IncomingHttpHeaders } from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import type { RawHandle } from "../listeners/Listeners.ts";
import type { FromBroker } from "../protocol.ts";
import { collect, TestBroker, type TestBot } from "../testing/TestBroker.ts";

async function visit(
  to: TestBot,
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
  body?: string,
): Promise<{ status: number; text: string }> {
  const request = http.request({
    host: "127.0.0.1",
    port: to.ingress.port,
    path,
    method,
    headers,
    agent: false,
  });
  request.end(body);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  let text = "";
  for await (const chunk of response as AsyncIterable<Buffer>) text += chunk.toString();
  return { status: response.statusCode ?? 0, text };
}
function bearer(to: TestBot): Record<string, string> {
  return { authorization: `Bearer ${to.ingress.token}` };
}

describe("the way in to a bot's gateway", () => {
  let t: TestBroker;
  let bot: TestBot;
  let page: TestBot;
  let sited: TestBot;
  let gateway: http.Server;
  const seen: { readonly url: string; readonly headers: IncomingHttpHeaders }[] = [];
  const dialled: Socket[] = [];

  before(async () => {
    // The supervisor's part: a connection to the gateway for each `dial-gateway`.
    const send = (message: FromBroker): void => {
      t.sent.push(message);
      if (message.type !== "dial-gateway") return;
      const socket = net.connect((gateway.address() as AddressInfo).port, "127.0.0.1").pause();
      dialled.push(socket);
      socket.once("connect", () => {
        const handle = Reflect.get(socket, "_handle") as RawHandle;
        void t.broker.receive({ type: "gateway-connection", id: message.id }, handle);
      });
    };
    t = await TestBroker.start({ send });
    gateway = http.createServer((request, response) => {
      seen.push({ url: request.url ?? "", headers: request.headers });
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => response.end(`gateway:${Buffer.concat(chunks).toString()}`));
    });
    const sockets = new WebSocketServer({
      server: gateway,
      verifyClient: ({ req }: { req: http.IncomingMessage }) => req.url !== "/closed",
    });
    sockets.on("connection", (socket) =>
      socket.on("message", (data: Buffer) => socket.send(`echo ${data.toString()}`)),
    );
    gateway.listen(0, "127.0.0.1");
    await once(gateway, "listening");
    bot = await t.bot("basecamp", []);
    page = await t.bot("erdos", [], { controlPage: true });
    sited = await t.bot("harbour", [], { site: "harbour.tail0.ts.net:18789" });
    assert.deepEqual(await t.configure(), { type: "configured" });
  });
  after(async () => {
    await t.end();
    for (const socket of dialled) socket.destroy();
    gateway.closeAllConnections();
    gateway.close();
  });

  test("Ingress answers the health paths without a token, and nothing else", async () => {
    assert.equal((await visit(bot, "/healthz")).status, 200);
    assert.equal((await visit(bot, "/readyz?x=1")).status, 200);
    for (const path of ["/", "/healthz/../v1/x", "/healthz%2f..", "/v1/models", "//healthz"])
      assert.equal((await visit(bot, path)).status, 401, path);
    assert.equal((await visit(bot, "/healthz", {}, "POST")).status, 401);
  });

  test("Ingress relays a request with the right token, its body too, and hides who else forwarded it", async () => {
    const headers = {
      ...bearer(bot),
      "x-forwarded-for": "8.8.8.8",
      forwarded: "for=8.8.8.8",
      "x-kept": "1",
    };
    const reply = await visit(
      bot,
      "/v1/chat/completions?stream=secretvalue",
      headers,
      "POST",
      "hello",
    );
    assert.deepEqual(reply, { status: 200, text: "gateway:hello" });
    const last = seen.at(-1);
    assert.equal(last?.headers["x-forwarded-for"], undefined);
    assert.equal(last?.headers.forwarded, undefined);
    assert.equal(last?.headers["x-kept"], "1");
    const record = await t.record((each) => each.path === "/v1/chat/completions?stream");
    assert.equal(record.kind, "ingress");
    assert.equal(record.bot, "basecamp");
    assert.equal(record.outcome, "done");
  });

  test("Ingress refuses another bot's token, a wrong one and two of them", async () => {
    assert.equal((await visit(bot, "/v1/models", bearer(page))).status, 401);
    assert.equal((await visit(bot, "/healthz", { authorization: "Bearer wrong" })).status, 401);
    const socket = net.connect(bot.ingress.port, "127.0.0.1");
    const got = collect(socket);
    const line = `Authorization: Bearer ${bot.ingress.token}\r\n`;
    socket.write(
      `GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n${line}${line}Connection: close\r\n\r\n`,
    );
    assert.match(await got, /^HTTP\/1\.1 401/);
  });

  test("Ingress serves the control page without a token only where it is on, its interfaces never", async () => {
    assert.equal((await visit(page, "/")).status, 200);
    assert.equal((await visit(page, "/assets/x.js")).status, 200);
    for (const path of ["/v1/models", "/V1/models", "/tools/invoke", "/api/x", "/hooks/agent"])
      assert.equal((await visit(page, path)).status, 401, path);
    assert.equal((await visit(page, "/", {}, "POST")).status, 401);
  });

  test("Ingress takes visitors of its site as those of the loopback, and keeps pages of either from the other", async () => {
    const site = "harbour.tail0.ts.net:18789";
    const by = (headers: Record<string, string>, path = "/v1/models"): Promise<number> =>
      visit(sited, path, { ...bearer(sited), ...headers }).then(({ status }) => status);
    assert.equal(await by({ host: site, origin: `https://${site}` }), 200);
    const { headers } = seen.at(-1) ?? {};
    assert.deepEqual([headers?.host, headers?.origin], ["127.0.0.1", "http://127.0.0.1"]);
    assert.equal(await by({ host: site.toUpperCase() }), 200);
    const before = seen.length;
    for (const refused of [
      { host: "harbour.tail0.ts.net" },
      { host: "harbour.tail0.ts.net:443" },
      { host: `x.${site}` },
      { host: site, origin: `http://${site}` },
      { host: site, origin: "http://localhost:18789" },
      { host: site, origin: "https://evil.test" },
      { host: "localhost", origin: `https://${site}` },
    ])
      assert.equal(await by(refused), 403, JSON.stringify(refused));
    // Its token is asked for all the same, and another bot knows nothing of the site.
    assert.equal((await visit(sited, "/v1/models", { host: site })).status, 401);
    assert.equal((await visit(bot, "/v1/models", { ...bearer(bot), host: site })).status, 403);
    assert.equal(seen.length, before);
  });

  test("Ingress refuses names that aren't this machine's loopback, in Host and in Origin", async () => {
    for (const host of [
      "evil.test",
      "127.0.0.1.evil.test",
      "localhost.evil.test",
      "10.0.0.1",
      "169.254.169.254",
      "[fe80::1]",
      "evil.test:18789",
    ]) {
      assert.equal((await visit(page, "/", { ...bearer(page), host })).status, 403, host);
    }
    for (const origin of ["https://evil.test", "null", "http://127.0.0.1@evil.test", "file://"]) {
      assert.equal((await visit(page, "/", { ...bearer(page), origin })).status, 403, origin);
    }
    for (const host of ["localhost", "localhost:18789", "127.0.0.1:1", "[::1]:18789"])
      assert.equal((await visit(page, "/", { host })).status, 200, host);
    assert.equal((await visit(page, "/", { origin: "http://localhost:18789" })).status, 200);
  });

  test("Ingress relays a WebSocket without a token header, but not with a wrong one or from another page", async () => {
    const url = `ws://127.0.0.1:${bot.ingress.port}/`;
    const socket = new WebSocket(url);
    await once(socket, "open");
    socket.send("hello");
    const [data] = (await once(socket, "message")) as [Buffer];
    assert.equal(data.toString(), "echo hello");
    socket.close();
    await once(socket, "close");
    const record = await t.record((each) => each.rule === "websocket" && each.decision === "allow");
    assert.equal(record.status, 101);
    for (const [options, status] of [
      [{ headers: { authorization: "Bearer wrong" } }, 401],
      [{ origin: "https://evil.test" }, 403],
      [{ headers: { host: "evil.test" } }, 403],
    ] as const) {
      const refused = new WebSocket(url, options);
      const [error] = (await once(refused, "error")) as [Error];
      assert.match(error.message, new RegExp(String(status)));
    }
  });

  test("Ingress leaves no open line to the gateway when that refuses a WebSocket", async () => {
    const socket = net.connect(bot.ingress.port, "127.0.0.1");
    const got = collect(socket);
    const before = seen.length;
    const upgrade =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    socket.write(
      `GET /closed HTTP/1.1\r\nHost: 127.0.0.1\r\n${upgrade}\r\nGET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
    );
    assert.match(await got, /^HTTP\/1\.1 401/);
    assert.equal(seen.length, before);
  });

  test("Ingress answers 429 after many wrong tokens, and still serves the right one", async () => {
    const statuses: number[] = [];
    for (let index = 0; index < 15; index += 1)
      statuses.push((await visit(bot, "/v1/x", { authorization: `Bearer ${index}` })).status);
    assert.ok(statuses.includes(429), String(statuses));
    assert.equal((await visit(bot, "/v1/x", bearer(bot))).status, 200);
  });

  test("Ingress answers 429 when connections come too fast", async () => {
    const statuses = new Set<number>();
    // A machine that is slow itself needs more of them before they come too fast.
    for (let batch = 0; batch < 20 && !statuses.has(429); batch += 1) {
      const visits = Array.from({ length: 150 }, () => visit(bot, "/healthz"));
      for (const { status } of await Promise.all(visits)) statuses.add(status);
    }
    assert.ok(statuses.has(200) && statuses.has(429) && statuses.size === 2, [...statuses].join());
  });

  test("nothing that Ingress wrote holds a token", () => {
    const all = t.everything();
    for (const each of [bot, page]) assert.ok(!all.includes(each.ingress.token));
  });
});
