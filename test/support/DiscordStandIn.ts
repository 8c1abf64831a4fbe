import { randomBytes } from "node:crypto";
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

/** Where the gateway's sessions are resumed, and the names the stand-in's certificate needs. */
export const DISCORD_RESUME_HOST = "gateway-us-east1-b.discord.gg";
export const DISCORD_NAMES = ["discord.com", "gateway.discord.gg", "*.discord.gg"] as const;

/** One REST call of a bot; never the token. */
export interface DiscordCall {
  readonly method: string;
  readonly path: string;
  readonly accepted: boolean;
}

/** One connection to the gateway, as the stand-in saw it. */
export interface DiscordConnection {
  readonly host: string;
  readonly path: string;
  /** Sec-WebSocket-Extensions of the handshake. */
  readonly extensions: string | undefined;
  /** Headers of the handshake that could carry a credential, by name. */
  readonly credentialHeaders: readonly string[];
  /** How it logged in: not yet, with the right token, with another. */
  login: "none" | "identified" | "resumed" | "refused";
  heartbeats: number;
  open: boolean;
}

/** A `discord.com` and `gateway.discord.gg` of our own, with one bot and one user. */
export interface DiscordStandIn extends HttpsServer {
  readonly calls: readonly DiscordCall[];
  readonly connections: readonly DiscordConnection[];
  readonly userId: string;
  readonly applicationId: string;
  /** Of the server that the user and the bot are on. */
  readonly serverId: string;
  /** That server's text channels, by name. */
  readonly channels: ReadonlyMap<string, { readonly id: string; readonly topic: string }>;
  /** The bodies of messages as they came. */
  readonly messages: readonly Readonly<Record<string, unknown>>[];
  /** Says something to the bot in a direct message, or in a channel of the server's without a mention. */
  sendAsUser(text: string, channelId?: string): void;
  /** See `Replies.next`. */
  nextReply(timeoutMs: number): Promise<string>;
  /** Closes the gateway's connections, as it does on a deploy: clients resume. */
  cut(code: number): void;
}

const USER_ID = "180000000000000001";
const CHANNEL_ID = "180000000000000002";
const SERVER_ID = "180000000000000003";
/** 45 s in earnest; the first one comes after a random part of it. */
const HEARTBEAT_MS = 3_000;

interface Event {
  readonly s: number;
  readonly t: string;
  readonly d: object;
}

/**
 * Acts as the API for one bot token (discord.com/developers/docs, API v10): REST with 401 for another
 * token; a gateway that says HELLO, takes IDENTIFY and RESUME, closes with 4004 for another token,
 * acknowledges heartbeats, and dispatches messages. READY repeats the token, as no service
 * should: what the bot gets to see of it is the broker's business.
 *
 * @param token `base64(application id).xxxxxx.xxxxxx`, as Discord makes them.
 * @param resumeHost where READY sends clients to resume.
 */
export async function startDiscordStandIn(
  leaf: Leaf,
  token: string,
  resumeHost: string = DISCORD_RESUME_HOST,
): Promise<DiscordStandIn> {
  const discord = new Discord(token, resumeHost);
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  const server = await serveHttps(
    leaf,
    (request, response) => discord.answer(request, response),
    (request, socket, head) => {
      sockets.handleUpgrade(request, socket, head, (client) => discord.connect(client, request));
    },
  );
  return {
    ...server,
    calls: discord.calls,
    connections: discord.connections,
    messages: discord.messages,
    userId: USER_ID,
    applicationId: discord.applicationId,
    serverId: SERVER_ID,
    channels: discord.channels,
    sendAsUser: (text, channelId) => discord.receive(text, channelId),
    nextReply: (timeoutMs) => discord.replies.next(timeoutMs),
    cut: (code) => {
      for (const client of sockets.clients) client.close(code);
    },
    close: async () => {
      discord.replies.close();
      for (const client of sockets.clients) client.terminate();
      await server.close();
    },
  };
}

class Discord {
  readonly calls: DiscordCall[] = [];
  readonly connections: DiscordConnection[] = [];
  readonly messages: Record<string, unknown>[] = [];
  readonly channels = new Map<string, { readonly id: string; readonly topic: string }>();
  readonly replies = new Replies();
  readonly applicationId: string;
  readonly #token: string;
  readonly #resumeHost: string;
  readonly #session = randomBytes(16).toString("hex");
  readonly #events: Event[] = [];
  /** Clients that are logged in. */
  readonly #listening = new Set<WebSocket>();
  #commands: Record<string, unknown>[] = [];
  #lastId = 180_000_000_000_001_000n;

  constructor(token: string, resumeHost: string) {
    this.#token = token;
    this.#resumeHost = resumeHost;
    this.applicationId = Buffer.from(token.split(".", 1).join(""), "base64").toString();
  }

  receive(text: string, channelId: string = CHANNEL_ID): void {
    this.#dispatch("MESSAGE_CREATE", this.#message(channelId, text, user()));
  }

  answer({ method, url, headers, body }: FullRequest, response: ServerResponse): void {
    const accepted = headers.authorization === `Bot ${this.#token}`;
    this.calls.push({ method, path: url.pathname, accepted });
    if (!accepted) return fail(response, 401, 0, "401: Unauthorized");
    // The plugin asks for "/users/%40me", too.
    const path = decodeURIComponent(url.pathname).replace(/^\/api\/v\d+/, "");
    const at = (pattern: RegExp): string | undefined => pattern.exec(path)?.[1];
    if (path === "/gateway/bot") return sendJson(response, 200, gatewayInfo());
    if (path === "/users/@me") return sendJson(response, 200, this.#bot());
    if (path === "/users/@me/guilds") return sendJson(response, 200, [SERVER]);
    if (path.startsWith(`/guilds/${SERVER_ID}`))
      return this.#server(method, path.slice(`/guilds/${SERVER_ID}`.length), body, response);
    if (path === "/users/@me/channels") return sendJson(response, 200, channel());
    if (path === "/oauth2/applications/@me" || path === "/applications/@me") {
      return sendJson(response, 200, { id: this.applicationId, name: "Seawall", flags: 1 << 18 });
    }
    const application = at(/^\/applications\/(\d+)\/(?:guilds\/\d+\/)?commands/);
    if (application !== undefined) return this.#command(method, application, path, body, response);
    if (path === `/users/${USER_ID}`) return sendJson(response, 200, user());
    const place = this.#channel(at(/^\/channels\/(\d+)(?:\/|$)/));
    if (place === undefined) return fail(response, 404, 10003, "Unknown Channel");
    const below = path.slice(`/channels/${place.id}`.length);
    if (below === "" && method === "DELETE" && place.name !== undefined)
      this.channels.delete(place.name);
    if (below === "") return sendJson(response, 200, place);
    if (below === "/typing") return void response.writeHead(204).end();
    if (below === "/messages") return this.#speak(method, place.id, "", body, response);
    const message = /^\/messages\/(\d+)$/.exec(below)?.[1];
    if (message !== undefined) return this.#speak(method, place.id, message, body, response);
    fail(response, 404, 0, "404: Not Found");
  }

  #server(method: string, below: string, body: Buffer, response: ServerResponse): void {
    if (below === "") return sendJson(response, 200, SERVER);
    if (below === "/roles") return sendJson(response, 200, SERVER.roles);
    if (below.startsWith("/members/"))
      return sendJson(response, 200, { user: user(), roles: [], nick: null });
    if (below !== "/channels") return fail(response, 404, 0, "404: Not Found");
    if (method === "GET")
      return sendJson(
        response,
        200,
        [...this.channels.values()].map(({ id }) => this.#channel(id)),
      );
    const { name, topic = "" } = JSON.parse(body.toString()) as { name: string; topic?: string };
    const id = this.#nextId();
    this.channels.set(name, { id, topic });
    sendJson(response, 201, this.#channel(id));
    this.#dispatch("CHANNEL_CREATE", { ...this.#channel(id) });
  }

  #channel(
    id: string | undefined,
  ):
    { readonly id: string; readonly name?: string; readonly [field: string]: unknown } | undefined {
    if (id === CHANNEL_ID) return channel();
    const [name, found] = [...this.channels].find(([, each]) => each.id === id) ?? [];
    if (name === undefined || found === undefined) return undefined;
    return { ...found, name, ...TEXT_CHANNEL };
  }

  /** The gateway's lifecycle: HELLO, then IDENTIFY or RESUME within it, then events and heartbeats. */
  connect(client: WebSocket, { headers, url = "" }: IncomingMessage): void {
    const connection: DiscordConnection = {
      host: headers.host ?? "",
      path: url,
      extensions: headers["sec-websocket-extensions"],
      credentialHeaders: ["authorization", "cookie"].filter((name) => name in headers),
      login: "none",
      heartbeats: 0,
      open: true,
    };
    this.connections.push(connection);
    client.on("error", () => client.terminate());
    client.on("close", () => {
      connection.open = false;
      this.#listening.delete(client);
    });
    client.on("message", (data: Buffer, binary) => {
      if (binary) return client.close(4002, "Decode error");
      const { op, d } = JSON.parse(data.toString()) as { op: number; d: unknown };
      this.#receiveFrame(client, connection, op, d);
    });
    client.send(JSON.stringify({ op: 10, d: { heartbeat_interval: HEARTBEAT_MS }, s: null }));
  }

  #receiveFrame(client: WebSocket, connection: DiscordConnection, op: number, d: unknown): void {
    if (op === 1) {
      connection.heartbeats++;
      client.send(JSON.stringify({ op: 11 }));
      return;
    }
    if (op !== 2 && op !== 6) {
      if (!this.#listening.has(client)) client.close(4003, "Not authenticated");
      return;
    }
    const login = (d ?? {}) as { token?: unknown; session_id?: unknown; seq?: unknown };
    if (login.token !== this.#token) {
      connection.login = "refused";
      client.close(4004, "Authentication failed");
      return;
    }
    if (op === 6 && login.session_id !== this.#session) {
      client.send(JSON.stringify({ op: 9, d: false }));
      return;
    }
    this.#listening.add(client);
    connection.login = op === 2 ? "identified" : "resumed";
    if (op === 2) {
      this.#dispatch("READY", {
        v: 10,
        user: this.#bot(),
        guilds: [{ id: SERVER_ID, unavailable: true }],
        session_id: this.#session,
        resume_gateway_url: `wss://${this.#resumeHost}`,
        application: { id: this.applicationId, flags: 1 << 18 },
        _trace: [this.#token],
      });
      this.#dispatch("GUILD_CREATE", {
        ...SERVER,
        channels: [...this.channels.values()].map(({ id }) => this.#channel(id)),
      });
      return;
    }
    for (const event of this.#events.filter(({ s }) => s > Number(login.seq))) {
      client.send(JSON.stringify({ op: 0, ...event }));
    }
    this.#dispatch("RESUMED", {});
  }

  #dispatch(t: string, d: object): void {
    const event = { s: this.#events.length + 1, t, d };
    this.#events.push(event);
    for (const client of this.#listening) client.send(JSON.stringify({ op: 0, ...event }));
  }

  #command(
    method: string,
    application: string,
    path: string,
    body: Buffer,
    response: ServerResponse,
  ): void {
    // A token of another application gets no further.
    if (application !== this.applicationId) return fail(response, 403, 20012, "not authorized");
    const id = /commands\/(\d+)$/.exec(path)?.[1];
    const parse = (): unknown => JSON.parse(body.toString());
    switch (method) {
      case "PUT":
        this.#commands = (parse() as object[]).map((command) => ({
          ...command,
          id: this.#nextId(),
        }));
        return sendJson(response, 200, this.#commands);
      case "POST": {
        const command = { ...(parse() as object), id: this.#nextId() };
        this.#commands.push(command);
        return sendJson(response, 201, command);
      }
      case "PATCH":
        return sendJson(response, 200, { ...(parse() as object), id });
      case "DELETE":
        return void response.writeHead(204).end();
      default:
        return sendJson(response, 200, this.#commands);
    }
  }

  #speak(method: string, place: string, id: string, body: Buffer, response: ServerResponse): void {
    if (method === "GET") return id === "" ? sendJson(response, 200, []) : fail404(response);
    if (method === "DELETE") {
      this.replies.remove(id);
      return void response.writeHead(204).end();
    }
    const message = JSON.parse(body.toString()) as Record<string, unknown>;
    const text = typeof message["content"] === "string" ? message["content"] : "";
    this.messages.push(message);
    const sent = this.#message(place, text, this.#bot());
    if (method === "PATCH") {
      this.replies.edit(id, text);
      return sendJson(response, 200, { ...sent, id });
    }
    this.replies.say(sent.id, text);
    sendJson(response, 200, sent);
    // The gateway tells a bot of its own messages, too.
    this.#dispatch("MESSAGE_CREATE", sent);
  }

  #message(place: string, content: string, author: object) {
    return {
      id: this.#nextId(),
      channel_id: place,
      ...(place === CHANNEL_ID
        ? { channel_type: 1 }
        : { channel_type: 0, guild_id: SERVER_ID, member: { roles: [], nick: null } }),
      author,
      content,
      timestamp: new Date().toISOString(),
      edited_timestamp: null,
      tts: false,
      mention_everyone: false,
      mentions: [],
      mention_roles: [],
      attachments: [],
      embeds: [],
      pinned: false,
      type: 0,
    };
  }

  #bot(): object {
    return {
      id: this.applicationId,
      username: "seawall-bot",
      discriminator: "0",
      global_name: null,
      avatar: null,
      bot: true,
    };
  }

  #nextId(): string {
    return String(++this.#lastId);
  }
}

function user(): object {
  return {
    id: USER_ID,
    username: "owner",
    discriminator: "0",
    global_name: "Owner",
    avatar: null,
  };
}

const SERVER = {
  id: SERVER_ID,
  name: "Team",
  owner_id: USER_ID,
  // That of everybody has the server's id, and may see and say.
  roles: [{ id: SERVER_ID, name: "@everyone", permissions: "68608", position: 0 }],
  members: [],
  member_count: 2,
  threads: [],
  presences: [],
  voice_states: [],
  emojis: [],
  stickers: [],
} as const;
const TEXT_CHANNEL = {
  type: 0,
  guild_id: SERVER_ID,
  last_message_id: null,
  permission_overwrites: [],
} as const;

function channel(): { readonly id: string; readonly [field: string]: unknown } {
  return { id: CHANNEL_ID, type: 1, last_message_id: null, recipients: [user()] };
}

function gatewayInfo(): object {
  return {
    url: "wss://gateway.discord.gg",
    shards: 1,
    session_start_limit: { total: 1000, remaining: 999, reset_after: 0, max_concurrency: 1 },
  };
}

function fail(response: ServerResponse, status: number, code: number, message: string): void {
  sendJson(response, status, { message, code });
}

function fail404(response: ServerResponse): void {
  fail(response, 404, 10008, "Unknown Message");
}
