import { randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";
import type { Leaf } from "../../src/authority/index.ts";
import {
  Replies,
  sendJson,
  serveHttps,
  type FullRequest,
  type HttpsServer,
} from "../../src/demo/index.ts";

/** The names the stand-in's certificate needs. */
export const SLACK_NAMES = ["slack.com", "files.slack.com", "wss-primary.slack.com"] as const;

/** One method that was called; never the token. */
export interface SlackCall {
  readonly method: string;
  readonly accepted: boolean;
}

/** One socket, as the stand-in saw it. */
export interface SlackConnection {
  readonly host: string;
  /** Sec-WebSocket-Extensions of the handshake. */
  readonly extensions: string | undefined;
  /** Headers of the handshake that could carry a credential, by name. */
  readonly credentialHeaders: readonly string[];
  /** By its ticket, which is good once. */
  readonly login: "accepted" | "refused";
  open: boolean;
}

/** A Slack of our own, with one app, its bot and one user. */
export interface SlackStandIn extends HttpsServer {
  readonly calls: readonly SlackCall[];
  readonly connections: readonly SlackConnection[];
  readonly userId: string;
  /** Envelopes that were acknowledged. */
  readonly acknowledged: readonly string[];
  /** The fields of messages as they came. */
  readonly messages: readonly Readonly<Record<string, string>>[];
  /** Says something to the bot in a direct message. */
  sendAsUser(text: string): void;
  /** See `Replies.next`. */
  nextReply(timeoutMs: number): Promise<string>;
}

const TEAM = "T0SEAWALL01";
const APP = "A0SEAWALL01";
const USER = "U0OWNER0001";
const BOT_USER = "U0SEAWALL01";
const BOT = "B0SEAWALL01";
const CHANNEL = "D0OWNER0001";

/**
 * Acts as the Web API and socket mode for the two tokens of one app (docs.slack.dev): errors come with 200; the app's
 * token alone opens sockets, the bot's alone does everything else. `auth.test` repeats the bot's token, as no
 * service should: what the bot gets to see of it is the broker's business.
 */
export async function startSlackStandIn(
  leaf: Leaf,
  tokens: { readonly bot: string; readonly app: string },
): Promise<SlackStandIn> {
  const slack = new Slack(tokens);
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  const server = await serveHttps(
    leaf,
    (request, response) => slack.answer(request, response),
    (request, socket, head) => {
      if (!slack.admit(request)) {
        socket.destroy();
        return;
      }
      sockets.handleUpgrade(request, socket, head, (client) => slack.connect(client));
    },
  );
  return {
    ...server,
    calls: slack.calls,
    connections: slack.connections,
    acknowledged: slack.acknowledged,
    messages: slack.messages,
    userId: USER,
    sendAsUser: (text) => slack.receive(text),
    nextReply: (timeoutMs) => slack.replies.next(timeoutMs),
    close: async () => {
      slack.replies.close();
      for (const client of sockets.clients) client.terminate();
      await server.close();
    },
  };
}

class Slack {
  readonly calls: SlackCall[] = [];
  readonly connections: SlackConnection[] = [];
  readonly acknowledged: string[] = [];
  readonly messages: Record<string, string>[] = [];
  readonly replies = new Replies();
  readonly #tokens: { readonly bot: string; readonly app: string };
  readonly #tickets = new Set<string>();
  readonly #listening = new Set<WebSocket>();
  readonly #pending: string[] = [];
  #last = 0;

  constructor(tokens: { readonly bot: string; readonly app: string }) {
    this.#tokens = tokens;
  }

  receive(text: string): void {
    const ts = this.#ts();
    const event = {
      type: "message",
      channel: CHANNEL,
      channel_type: "im",
      user: USER,
      team: TEAM,
      text,
      ts,
      event_ts: ts,
    };
    const envelope = {
      type: "events_api",
      envelope_id: randomUUID(),
      accepts_response_payload: false,
      retry_attempt: 0,
      retry_reason: "",
      payload: {
        type: "event_callback",
        team_id: TEAM,
        api_app_id: APP,
        event,
        event_id: `Ev${randomBytes(5).toString("hex").toUpperCase()}`,
        event_time: Math.floor(Date.now() / 1000),
        authorizations: [
          {
            enterprise_id: null,
            team_id: TEAM,
            user_id: BOT_USER,
            is_bot: true,
            is_enterprise_install: false,
          },
        ],
        is_ext_shared_channel: false,
      },
    };
    this.#pending.push(JSON.stringify(envelope));
    this.#deliver();
  }

  answer({ url, headers, body }: FullRequest, response: ServerResponse): void {
    const method = url.pathname.replace(/^\/api\//, "");
    const fields = readFields(headers["content-type"] ?? "", body);
    const wanted = method === "apps.connections.open" ? this.#tokens.app : this.#tokens.bot;
    const accepted =
      headers.authorization === `Bearer ${wanted}` ||
      (headers.authorization === undefined && fields["token"] === wanted);
    this.calls.push({ method, accepted });
    const say = (json: object): void => sendJson(response, 200, json);
    if (!accepted) return say({ ok: false, error: "invalid_auth" });
    switch (method) {
      case "apps.connections.open": {
        const ticket = randomUUID();
        this.#tickets.add(ticket);
        const link = `wss://wss-primary.slack.com/link/?ticket=${ticket}&app_id=${APP}`;
        return say({ ok: true, url: link });
      }
      case "auth.test":
        return say({
          ok: true,
          url: "https://seawall.slack.com/",
          team: "Seawall",
          user: "seawall-bot",
          team_id: TEAM,
          user_id: BOT_USER,
          bot_id: BOT,
          is_enterprise_install: false,
          token: this.#tokens.bot,
        });
      case "bots.info":
        return say({ ok: true, bot: { id: BOT, app_id: APP, user_id: BOT_USER, name: "seawall" } });
      case "users.info":
        return say({ ok: true, user: { id: USER, team_id: TEAM, name: "owner", profile: {} } });
      case "users.list":
        return say({ ok: true, members: [], response_metadata: { next_cursor: "" } });
      case "conversations.info":
      case "conversations.open":
        return say({ ok: true, channel: { id: CHANNEL, is_im: true, user: USER } });
      case "conversations.list":
        return say({ ok: true, channels: [], response_metadata: { next_cursor: "" } });
      case "conversations.history":
      case "conversations.replies":
        return say({ ok: true, messages: [], has_more: false });
      case "reactions.add":
      case "reactions.remove":
        return say({ ok: true });
      case "chat.postMessage":
      case "chat.update":
        return say(this.#speak(method, fields));
      case "chat.delete":
        this.replies.remove(fields["ts"] ?? "");
        return say({ ok: true, channel: CHANNEL, ts: fields["ts"] });
      default:
        return say({ ok: false, error: "unknown_method" });
    }
  }

  /** Whether a socket's address has a ticket that is good. */
  admit({ url = "", headers }: IncomingMessage): boolean {
    const { pathname, searchParams } = new URL(url, "https://slack.com");
    const good = pathname === "/link/" && this.#tickets.delete(searchParams.get("ticket") ?? "");
    this.connections.push({
      host: headers.host ?? "",
      extensions: headers["sec-websocket-extensions"],
      credentialHeaders: ["authorization", "cookie"].filter((name) => name in headers),
      login: good ? "accepted" : "refused",
      open: good,
    });
    return good;
  }

  connect(client: WebSocket): void {
    const connection = this.connections.at(-1);
    this.#listening.add(client);
    client.on("error", () => client.terminate());
    client.on("close", () => {
      if (connection !== undefined) connection.open = false;
      this.#listening.delete(client);
    });
    client.on("message", (data: Buffer) => {
      const { envelope_id } = JSON.parse(data.toString()) as { envelope_id?: string };
      if (envelope_id !== undefined) this.acknowledged.push(envelope_id);
    });
    client.send(
      JSON.stringify({ type: "hello", num_connections: 1, connection_info: { app_id: APP } }),
    );
    this.#deliver();
  }

  /** To one of those that are connected; what nobody is there for waits, as Slack tries again. */
  #deliver(): void {
    const [client] = this.#listening;
    if (client === undefined) return;
    for (const envelope of this.#pending.splice(0)) client.send(envelope);
  }

  #speak(method: string, fields: Record<string, string>): object {
    const text = fields["text"] ?? "";
    if (fields["channel"] !== CHANNEL) return { ok: false, error: "channel_not_found" };
    this.messages.push(fields);
    const ts = method === "chat.update" ? (fields["ts"] ?? "") : this.#ts();
    if (method === "chat.update") this.replies.edit(ts, text);
    else this.replies.say(ts, text);
    const message = { type: "message", user: BOT_USER, bot_id: BOT, app_id: APP, text, ts };
    return { ok: true, channel: CHANNEL, ts, message };
  }

  #ts(): string {
    return `${Math.floor(Date.now() / 1000)}.${String(++this.#last).padStart(6, "0")}`;
  }
}

/** The fields of a body as text, as the Web API takes them: a form, or JSON. */
function readFields(type: string, body: Buffer): Record<string, string> {
  if (!type.startsWith("application/json"))
    return Object.fromEntries(new URLSearchParams(body.toString()));
  const json = JSON.parse(body.toString() || "{}") as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}
