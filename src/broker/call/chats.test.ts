import assert from "node:assert/strict";
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import { WebSocket, WebSocketServer } from "ws";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { catalogueBots } from "../testing/catalogueBots.ts";
import { canary, TestBroker, type Reply } from "../testing/TestBroker.ts";

const HOME = "matrix.example.com";

/** Chats whose plugins aren't run in the tests, as their documentation has clients log in and talk. */
describe("Slack in socket mode, and Matrix", () => {
  let t: TestBroker;
  const real = { bot: canary("xoxb-"), app: canary("xapp-1-"), matrix: canary("syt_") };
  const phantoms = new Map<string, string>();
  const addresses = new Map<string, string>();
  const posted: unknown[] = [];
  const acknowledged: unknown[] = [];
  let tickets = 0;
  const arrived: string[] = [];

  before(async () => {
    t = await TestBroker.start();
    t.secrets.set("bot", real.bot).set("app", real.app).set("matrix", real.matrix);
    const names = ["slack.com", "files.slack.com", "wss-primary.slack.com", HOME];
    const { chain, key } = await t.upstreamAuthority.issue(names);
    const inner = http.createServer((request, response) => void serve(request, response));
    const sockets = new WebSocketServer({ noServer: true });
    inner.on("upgrade", (request: IncomingMessage, socket, head: Buffer) => {
      arrived.push(`${request.headers.host} ${request.url}`);
      if (request.url !== `/link/?ticket=ticket-${tickets}`) {
        socket.end();
        return;
      }
      sockets.handleUpgrade(request, socket, head, (peer) => {
        peer.on("message", (data: Buffer) => acknowledged.push(JSON.parse(data.toString())));
        peer.send(JSON.stringify({ type: "hello" }));
        const event = { type: "message", channel: "C1", text: "are you there?" };
        peer.send(JSON.stringify({ type: "events_api", envelope_id: "e1", payload: { event } }));
      });
    });
    const server = tls.createServer({ cert: chain, key }, (socket) =>
      inner.emit("connection", socket),
    );
    const port = await t.plainServer(server);
    const { grants } = catalogueBots(
      {
        secrets: { bot: { vault: "bot" }, app: { vault: "app" }, matrix: { vault: "matrix" } },
        bots: {
          basecamp: {
            slack: { secret: "bot" },
            "slack-app": { secret: "app" },
            matrix: { secret: "matrix", url: `https://${HOME}` },
          },
        },
      },
      { host: "127.0.0.1", port, ca: t.upstreamAuthority.ca },
    );
    const placed = (grants.get("basecamp") ?? [])
      .filter((grant) => grant.kind === "inject" && grant.name !== "anthropic")
      .map((grant): InjectBrokerGrant => {
        assert.ok(grant.kind === "inject");
        phantoms.set(grant.name, grant.phantom);
        const hosts = grant.hosts.map(({ v6: _v6, ...host }) => {
          const v4 = addresses.get(host.name) ?? t.nextAddress();
          addresses.set(host.name, v4);
          return { ...host, port: t.port, v4 };
        });
        return { ...grant, hosts };
      });
    await t.bot("basecamp", placed);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });
  after(() => t.end());

  /** Takes each real token where it belongs, and nothing else. */
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const { host = "", authorization } = request.headers;
    const path = new URL(request.url ?? "", "https://x").pathname;
    arrived.push(`${host.split(":")[0]} ${path}`);
    const say = (status: number, json: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    };
    const form = new URLSearchParams(body);
    const isBot = authorization === `Bearer ${real.bot}` || form.get("token") === real.bot;
    if (path === "/api/apps.connections.open") {
      if (authorization !== `Bearer ${real.app}`)
        return say(200, { ok: false, error: "invalid_auth" });
      tickets += 1;
      const url = `wss://wss-primary.slack.com/link/?ticket=ticket-${tickets}`;
      return say(200, { ok: true, url });
    }
    if (path.startsWith("/api/")) {
      if (!isBot) return say(200, { ok: false, error: "invalid_auth" });
      if (path === "/api/chat.postMessage") posted.push(JSON.parse(body));
      return say(200, { ok: true, user_id: "U1" });
    }
    if (path === "/_matrix/client/versions") return say(200, { versions: ["v1.11"] });
    if (authorization !== `Bearer ${real.matrix}`) return say(401, { errcode: "M_UNKNOWN_TOKEN" });
    if (request.method === "PUT") posted.push(JSON.parse(body));
    return say(200, { user_id: "@bot:example.com", event_id: "$1" });
  }

  function ask(
    host: string,
    method: string,
    path: string,
    more: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
  ): Promise<Reply> {
    return t.request({ name: host, address: addresses.get(host) ?? "" }, { method, path, ...more });
  }

  const bearer = (grant: string): { authorization: string } => ({
    authorization: `Bearer ${phantoms.get(grant)}`,
  });

  test("Slack: the app's token opens a socket, an event comes and is acknowledged, the bot's token answers", async () => {
    const auth = await ask("slack.com", "POST", "/api/auth.test", {
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: `token=${phantoms.get("slack")}`,
    });
    assert.deepEqual(JSON.parse(auth.body), { ok: true, user_id: "U1" });
    const opened = await ask("slack.com", "POST", "/api/apps.connections.open", {
      headers: bearer("slack-app"),
    });
    const { url } = JSON.parse(opened.body) as { url: string };
    const { hostname, pathname, search } = new URL(url);
    const socket = await t.connect(addresses.get(hostname) ?? "", hostname);
    const client = new WebSocket(`wss://${hostname}:${t.port}${pathname}${search}`, {
      createConnection: () => socket,
      finishRequest: (request) => {
        request.end();
      },
    });
    const events: { type: string; envelope_id?: string }[] = [];
    client.on("message", (data: Buffer) => {
      const event = JSON.parse(data.toString()) as { type: string; envelope_id?: string };
      events.push(event);
      if (event.envelope_id === undefined) return;
      client.send(JSON.stringify({ envelope_id: event.envelope_id }), () => client.close());
    });
    await once(client, "close");
    assert.deepEqual(
      events.map(({ type }) => type),
      ["hello", "events_api"],
    );
    const answer = await ask("slack.com", "POST", "/api/chat.postMessage", {
      headers: { ...bearer("slack"), "content-type": "application/json" },
      body: JSON.stringify({ channel: "C1", text: "I am" }),
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(acknowledged, [{ envelope_id: "e1" }]);
    // Links would be fetched by Slack, with what their addresses say.
    const quiet = { unfurl_links: false, unfurl_media: false };
    assert.deepEqual(posted.splice(0), [{ channel: "C1", text: "I am", ...quiet }]);
  });

  test("Slack: each token opens its own calls only, and none a call of the other's or of an administrator's", async () => {
    const before = arrived.length;
    const tries = [
      ["/api/apps.connections.open", "slack"],
      ["/api/chat.postMessage", "slack-app"],
      ["/api/admin.users.list", "slack"],
      ["/api/oauth.v2.access", "slack"],
      ["/api/auth.revoke", "slack"],
    ] as const;
    for (const [path, grant] of tries) {
      const headers = { ...bearer(grant), "content-type": "application/json" };
      const { status, body } = await ask("slack.com", "POST", path, { headers, body: "{}" });
      assert.deepEqual([status, /seawall_refused/.test(body)], [403, true], path);
    }
    assert.equal(arrived.length, before, "nothing of that arrives");
  });

  test("Matrix: versions without a token, then whoami, sync and a message; no login, no pusher, no password", async () => {
    assert.equal((await ask(HOME, "GET", "/_matrix/client/versions")).status, 200);
    const headers = { ...bearer("matrix"), "content-type": "application/json" };
    const v3 = "/_matrix/client/v3";
    for (const path of [`${v3}/account/whoami`, `${v3}/sync?timeout=0&since=s1`])
      assert.equal((await ask(HOME, "GET", path, { headers })).status, 200, path);
    const room = encodeURIComponent("!room:example.com");
    const sent = await ask(HOME, "PUT", `${v3}/rooms/${room}/send/m.room.message/m1`, {
      headers,
      body: JSON.stringify({ msgtype: "m.text", body: "I am" }),
    });
    assert.equal(sent.status, 200, sent.body);
    assert.deepEqual(posted.splice(0), [{ msgtype: "m.text", body: "I am" }]);
    const before = arrived.length;
    const tries = [
      ["POST", `${v3}/login`],
      ["POST", `${v3}/account/password`],
      ["POST", `${v3}/pushers/set`],
      ["POST", `${v3}/account/deactivate`],
      ["GET", `${v3}/account/whoami?access_token=${phantoms.get("matrix")}`],
    ] as const;
    for (const [method, path] of tries) {
      const { status, body } = await ask(HOME, method, path, {
        headers,
        ...(method === "POST" ? { body: "{}" } : {}),
      });
      assert.deepEqual([status, /seawall_refused/.test(body)], [403, true], path);
    }
    assert.equal(arrived.length, before, "nothing of that arrives");
  });

  test("nothing that was written holds a real token", () => {
    for (const value of Object.values(real)) assert.ok(!t.everything().includes(value));
  });
});
