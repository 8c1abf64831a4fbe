import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { test, type TestContext } from "node:test";
import { WebSocket } from "ws";
import { ensureAuthority, issueLeaf } from "../src/authority/index.ts";
import {
  DISCORD_NAMES,
  DISCORD_RESUME_HOST,
  startDiscordStandIn,
  type DiscordStandIn,
} from "./support/DiscordStandIn.ts";
import { startMatrixStandIn, type MatrixStandIn } from "./support/MatrixStandIn.ts";
import { startMattermostStandIn, type MattermostStandIn } from "./support/MattermostStandIn.ts";
import { SLACK_NAMES, startSlackStandIn, type SlackStandIn } from "./support/SlackStandIn.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";

/**
 * The stand-ins are what the tests of the channels rest on, so they must refuse what the services
 * refuse: a stand-in that takes any token would show nothing.
 */

const DISCORD_TOKEN = "MTE4MDAwMDAwMDAwMDAwMDc3Nw.Gabcde.a-token-made-for-this-test-0123456789";
const MATTERMOST_TOKEN = "atokenmadeforthistest12345";
const CHAT = "chat.example.com";

interface Outside<T> {
  readonly standIn: T;
  readonly ca: string;
}

async function discord(t: TestContext): Promise<Outside<DiscordStandIn>> {
  const authority = await ensureAuthority(temporaryFolder(t));
  const standIn = await startDiscordStandIn(
    await issueLeaf(authority, DISCORD_NAMES),
    DISCORD_TOKEN,
  );
  t.after(() => standIn.close());
  return { standIn, ca: authority.caPem };
}

async function mattermost(t: TestContext): Promise<Outside<MattermostStandIn>> {
  const authority = await ensureAuthority(temporaryFolder(t));
  const standIn = await startMattermostStandIn(
    await issueLeaf(authority, [CHAT]),
    MATTERMOST_TOKEN,
  );
  t.after(() => standIn.close());
  return { standIn, ca: authority.caPem };
}

/** Frames in the order they come, and how the connection ends. */
class Client {
  readonly socket: WebSocket;
  readonly #frames: Record<string, unknown>[] = [];
  #waiting: (() => void) | undefined;

  constructor(
    { standIn, ca }: Outside<DiscordStandIn | MattermostStandIn | SlackStandIn>,
    host: string,
    path: string,
  ) {
    this.socket = new WebSocket(`wss://127.0.0.1:${standIn.port}${path}`, {
      agent: new Agent({ ca, servername: host }),
      headers: { host },
    });
    this.socket.on("message", (data: Buffer) => {
      this.#frames.push(JSON.parse(data.toString()) as Record<string, unknown>);
      this.#waiting?.();
    });
  }

  async next(): Promise<Record<string, unknown>> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
  }

  /** The next frame with this event's name, or operation code. */
  async nextOf(what: string | number): Promise<Record<string, unknown>> {
    for (;;) {
      const frame = await this.next();
      if ([frame["t"], frame["op"], frame["event"]].includes(what)) return frame;
    }
  }

  send(frame: object): void {
    this.socket.send(JSON.stringify(frame));
  }

  async closeCode(): Promise<number> {
    const [code] = (await once(this.socket, "close")) as [number];
    return code;
  }
}

/** One REST call; `authorization` as it stands in the header. */
async function call(
  { standIn, ca }: Outside<DiscordStandIn | MattermostStandIn | SlackStandIn | MatrixStandIn>,
  host: string,
  path: string,
  authorization: string,
  body?: object,
  method = body === undefined ? "GET" : "POST",
): Promise<{ status: number; json: Record<string, unknown> }> {
  const sent = request({
    host: "127.0.0.1",
    port: standIn.port,
    servername: host,
    ca,
    agent: false,
    path,
    method,
    headers: { authorization, "content-type": "application/json" },
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const text = Buffer.concat(await response.toArray()).toString();
  return {
    status: response.statusCode ?? 0,
    json: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}

const identify = (token: string): object => ({
  op: 2,
  d: { token, intents: 1, properties: { os: "linux", browser: "x", device: "x" } },
});
const challenge = (token: string): object => ({
  seq: 1,
  action: "authentication_challenge",
  data: { token },
});

test("Discord's stand-in takes the one token in a header and answers 401 to all else", async (t) => {
  const outside = await discord(t);
  const path = "/api/v10/users/@me";
  for (const wrong of ["", `Bot ${DISCORD_TOKEN}x`, `Bearer ${DISCORD_TOKEN}`, DISCORD_TOKEN]) {
    assert.equal((await call(outside, "discord.com", path, wrong)).status, 401);
  }
  const right = await call(outside, "discord.com", path, `Bot ${DISCORD_TOKEN}`);
  assert.equal(right.json["id"], "1180000000000000777");
  assert.deepEqual(
    outside.standIn.calls.map(({ accepted }) => accepted),
    [false, false, false, false, true],
  );
  assert.ok(!JSON.stringify(outside.standIn.calls).includes(DISCORD_TOKEN));
});

test("Discord's stand-in closes with 4004 for another token, and tells it nothing", async (t) => {
  const outside = await discord(t);
  for (const frame of [
    identify(`${DISCORD_TOKEN}x`),
    { op: 6, d: { token: "", session_id: "x", seq: 0 } },
  ]) {
    const client = new Client(outside, "gateway.discord.gg", "/?v=10&encoding=json");
    assert.equal((await client.next())["op"], 10);
    outside.standIn.sendAsUser("not for everybody");
    client.send(frame);
    assert.equal(await client.closeCode(), 4004);
  }
  assert.deepEqual(
    outside.standIn.connections.map(({ login }) => login),
    ["refused", "refused"],
  );
});

test("Discord's stand-in dispatches to who has identified, and replays to who resumes", async (t) => {
  const outside = await discord(t);
  const first = new Client(outside, "gateway.discord.gg", "/?v=10&encoding=json");
  await first.nextOf(10);
  first.send(identify(DISCORD_TOKEN));
  const { d, s } = (await first.nextOf("READY")) as { d: Record<string, string>; s: number };
  assert.equal(d["resume_gateway_url"], `wss://${DISCORD_RESUME_HOST}`);
  first.send({ op: 1, d: s });
  await first.nextOf(11);
  outside.standIn.cut(4000);
  assert.equal(await first.closeCode(), 4000);
  outside.standIn.sendAsUser("missed");
  const second = new Client(outside, DISCORD_RESUME_HOST, "/?v=10&encoding=json");
  await second.nextOf(10);
  second.send({ op: 6, d: { token: DISCORD_TOKEN, session_id: d["session_id"], seq: s } });
  const missed = (await second.nextOf("MESSAGE_CREATE"))["d"] as { content: string };
  assert.equal(missed.content, "missed");
  await second.nextOf("RESUMED");
  const [one, two] = outside.standIn.connections;
  assert.deepEqual([one?.login, one?.heartbeats, one?.open], ["identified", 1, false]);
  assert.deepEqual([two?.login, two?.host], ["resumed", DISCORD_RESUME_HOST]);
});

test("Discord's stand-in hands on what the bot writes in the user's channel", async (t) => {
  const outside = await discord(t);
  const authorization = `Bot ${DISCORD_TOKEN}`;
  const say = (path: string, body: object): Promise<{ status: number }> =>
    call(outside, "discord.com", `/api/v10${path}`, authorization, body);
  const { json } = await call(outside, "discord.com", "/api/v10/users/@me/channels", authorization);
  assert.equal((await say("/channels/1/messages", { content: "nowhere" })).status, 404);
  await say(`/channels/${String(json["id"])}/messages`, { content: "hello" });
  assert.equal(await outside.standIn.nextReply(20_000), "hello");
});

test("Mattermost's stand-in takes the one token in a header and answers 401 to all else", async (t) => {
  const outside = await mattermost(t);
  const path = "/api/v4/users/me";
  for (const wrong of ["", `Bearer ${MATTERMOST_TOKEN}x`, `Token ${MATTERMOST_TOKEN}`]) {
    assert.equal((await call(outside, CHAT, path, wrong)).status, 401);
  }
  const right = await call(outside, CHAT, path, `Bearer ${MATTERMOST_TOKEN}`);
  assert.equal(right.json["username"], "seawall-bot");
});

test("Mattermost's stand-in takes the token in the challenge only, and closes for another", async (t) => {
  const outside = await mattermost(t);
  const wrong = new Client(outside, CHAT, "/api/v4/websocket");
  await once(wrong.socket, "open");
  wrong.send(challenge(`${MATTERMOST_TOKEN}x`));
  await wrong.closeCode();
  const right = new Client(outside, CHAT, "/api/v4/websocket");
  await once(right.socket, "open");
  right.send(challenge(MATTERMOST_TOKEN));
  await right.nextOf("hello");
  assert.equal((await right.next())["seq_reply"], 1);
  outside.standIn.sendAsUser("hello");
  const { data } = (await right.nextOf("posted")) as { data: { post: string } };
  assert.equal((JSON.parse(data.post) as { message: string }).message, "hello");
  assert.deepEqual(
    outside.standIn.connections.map(({ login }) => login),
    ["refused", "accepted"],
  );
});

const SLACK_TOKENS = { bot: "xoxb-made-for-this-test", app: "xapp-1-A1-made-for-this-test" };

test("Slack's stand-in takes each token for its own calls only, and a ticket once", async (t) => {
  const authority = await ensureAuthority(temporaryFolder(t));
  const standIn = await startSlackStandIn(await issueLeaf(authority, SLACK_NAMES), SLACK_TOKENS);
  t.after(() => standIn.close());
  const outside = { standIn, ca: authority.caPem };
  const ask = async (method: string, token: string): Promise<Record<string, unknown>> =>
    (await call(outside, "slack.com", `/api/${method}`, `Bearer ${token}`, {})).json;
  const refused = { ok: false, error: "invalid_auth" };
  const open = "apps.connections.open";
  assert.deepEqual(await ask("auth.test", SLACK_TOKENS.app), refused);
  assert.deepEqual(await ask("auth.test", `${SLACK_TOKENS.bot}x`), refused);
  assert.deepEqual(await ask(open, SLACK_TOKENS.bot), refused);
  assert.equal((await ask("auth.test", SLACK_TOKENS.bot))["ok"], true);
  const { pathname, search } = new URL(String((await ask(open, SLACK_TOKENS.app))["url"]));
  const host = "wss-primary.slack.com";
  const client = new Client(outside, host, pathname + search);
  assert.equal((await client.next())["type"], "hello");
  standIn.sendAsUser("hello");
  const envelope = await client.next();
  const { event } = envelope["payload"] as { event: { text: string } };
  assert.equal(event.text, "hello");
  for (const wrong of [pathname + search, "/link/?ticket=x"]) {
    const again = new Client(outside, host, wrong);
    await once(again.socket, "error");
  }
  assert.deepEqual(
    standIn.connections.map(({ login }) => login),
    ["accepted", "refused", "refused"],
  );
});

test("Matrix's stand-in takes the one token, and shows a room's messages to who has joined it", async (t) => {
  const token = "syt_made_for_this_test";
  const authority = await ensureAuthority(temporaryFolder(t));
  const standIn = await startMatrixStandIn(await issueLeaf(authority, [CHAT]), token);
  t.after(() => standIn.close());
  const outside = { standIn, ca: authority.caPem };
  const v3 = "/_matrix/client/v3";
  const ask = (path: string, body?: object, method?: string) =>
    call(outside, CHAT, v3 + path, `Bearer ${token}`, body, method);
  for (const wrong of ["", `Bearer ${token}x`, token])
    assert.equal((await call(outside, CHAT, `${v3}/account/whoami`, wrong)).status, 401);
  const first = (await ask("/sync")).json as {
    next_batch: string;
    rooms: { invite: Record<string, unknown> };
  };
  const [room = ""] = Object.keys(first.rooms.invite);
  const waiting = ask(`/sync?since=${first.next_batch}&timeout=30000`);
  await ask(`/join/${encodeURIComponent(room)}`, {});
  standIn.sendAsUser("hello");
  await waiting;
  const { rooms } = (await ask("/sync")).json as {
    rooms: { join: Record<string, { timeline: { events: { content: { body?: string } }[] } }> };
  };
  const bodies = rooms.join[room]?.timeline.events.map(({ content }) => content.body);
  assert.ok(standIn.joined && bodies?.includes("hello"));
  const send = `/rooms/${encodeURIComponent(room)}/send/m.room.message`;
  const sent = await ask(`${send}/1`, { msgtype: "m.text", body: "an" }, "PUT");
  await ask(
    `${send}/2`,
    {
      body: "* answer",
      "m.new_content": { body: "answer" },
      "m.relates_to": { rel_type: "m.replace", event_id: sent.json["event_id"] },
    },
    "PUT",
  );
  assert.equal(await standIn.nextReply(20_000), "answer");
});
