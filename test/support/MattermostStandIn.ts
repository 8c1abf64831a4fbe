import { randomInt } from "node:crypto";
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

/** One REST call of a bot; never the token. */
export interface MattermostCall {
  readonly method: string;
  readonly path: string;
  readonly accepted: boolean;
}

/** One WebSocket, as the stand-in saw it. */
export interface MattermostConnection {
  /** Sec-WebSocket-Extensions of the handshake. */
  readonly extensions: string | undefined;
  /** Headers of the handshake that could carry a credential, by name. */
  readonly credentialHeaders: readonly string[];
  login: "none" | "accepted" | "refused";
  pings: number;
  open: boolean;
}

export interface StandInChannel {
  readonly id: string;
  readonly team_id: string;
  readonly name: string;
  readonly display_name: string;
  readonly type: string;
  header: string;
  purpose: string;
  delete_at: number;
  readonly members: Set<string>;
}

/** A Mattermost server of our own, with one bot and one user. */
export interface MattermostStandIn extends HttpsServer {
  readonly calls: readonly MattermostCall[];
  readonly connections: readonly MattermostConnection[];
  readonly userId: string;
  readonly botId: string;
  /** The team there is: its address is `team`. */
  readonly team: { readonly id: string; readonly name: string };
  /** Its channels, by name; archived ones have `delete_at`. */
  readonly channels: ReadonlyMap<string, StandInChannel>;
  /** Says something to the bot in a direct message, or in a channel. */
  sendAsUser(text: string, channelId?: string): void;
  /** Who gets a failure instead of an answer: a status, or `drop` for no answer at all. */
  failWith: (call: {
    readonly method: string;
    readonly path: string;
  }) => number | "drop" | undefined;
  /** See `Replies.next`. */
  nextReply(timeoutMs: number): Promise<string>;
}

/**
 * Acts as the API for one token (api.mattermost.com, version 4): REST with 401 for another token, and
 * a WebSocket that takes the token in `authentication_challenge` only and closes for another one. Its
 * `hello` repeats the token, as no service should: what the bot gets to see of it is the broker's
 * business.
 */
export async function startMattermostStandIn(
  leaf: Leaf,
  token: string,
): Promise<MattermostStandIn> {
  const mattermost = new Mattermost(token);
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  const server = await serveHttps(
    leaf,
    (request, response) => mattermost.answer(request, response),
    (request, socket, head) => {
      if (request.url !== "/api/v4/websocket") {
        socket.destroy();
        return;
      }
      sockets.handleUpgrade(request, socket, head, (client) => mattermost.connect(client, request));
    },
  );
  return {
    ...server,
    botId: mattermost.bot.id,
    team: mattermost.team,
    channels: mattermost.channels,
    get failWith() {
      return mattermost.failWith;
    },
    set failWith(decide) {
      mattermost.failWith = decide;
    },
    calls: mattermost.calls,
    connections: mattermost.connections,
    userId: mattermost.user.id,
    sendAsUser: (text, channelId) => mattermost.receive(text, channelId),
    nextReply: (timeoutMs) => mattermost.replies.next(timeoutMs),
    close: async () => {
      mattermost.replies.close();
      for (const client of sockets.clients) client.terminate();
      await server.close();
    },
  };
}

class Mattermost {
  readonly calls: MattermostCall[] = [];
  readonly connections: MattermostConnection[] = [];
  readonly replies = new Replies();
  readonly user = { id: makeId(), username: "owner", update_at: 1, delete_at: 0, roles: "" };
  readonly bot = { id: makeId(), username: "seawall-bot", update_at: 1, is_bot: true };
  readonly team = { id: makeId(), name: "team", delete_at: 0, type: "O" };
  readonly channels = new Map<string, StandInChannel>();
  failWith: MattermostStandIn["failWith"] = () => undefined;
  readonly #channelId = makeId();
  readonly #token: string;
  readonly #listening = new Set<WebSocket>();
  #sequence = 0;

  constructor(token: string) {
    this.#token = token;
  }

  receive(text: string, channelId?: string): void {
    this.#announce(this.#post(text, this.user.id, channelId), this.user.username);
  }

  answer({ method, url, headers, body }: FullRequest, response: ServerResponse): void {
    const accepted = headers.authorization === `Bearer ${this.#token}`;
    this.calls.push({ method, path: url.pathname, accepted });
    if (!accepted) return fail(response, 401, "api.context.session_expired.app_error");
    const failure = this.failWith({ method, path: url.pathname });
    if (failure === "drop") return void response.destroy();
    if (failure !== undefined) return fail(response, failure, "stand-in");
    const path = url.pathname.replace(/^\/api\/v4/, "");
    const post = /^\/posts\/([a-z0-9]{26})(?:\/patch)?$/.exec(path)?.[1];
    if (post !== undefined) return this.#change(method, post, body, response);
    if (this.#answerChannels(method, path, url, body, response)) return;
    switch (`${method} ${path}`) {
      case "GET /users/me":
        return sendJson(response, 200, this.bot);
      case `GET /users/${this.user.id}`:
        return sendJson(response, 200, this.user);
      case `GET /users/${this.bot.id}/teams`:
      case "GET /users/me/teams":
        return sendJson(response, 200, []);
      case `GET /channels/${this.#channelId}`:
      case "POST /channels/direct":
        return sendJson(response, 200, this.#channel());
      case `GET /channels/${this.#channelId}/posts`:
        return sendJson(response, 200, { order: [], posts: {} });
      case "POST /users/me/typing":
        return sendJson(response, 200, { status: "OK" });
      case "POST /posts": {
        const text = textOf(body);
        const sent = this.#post(text, this.bot.id, channelOf(body));
        this.replies.say(sent.id, text);
        sendJson(response, 201, sent);
        return this.#announce(sent, this.bot.username);
      }
      default:
        return fail(response, 404, "api.context.404.app_error");
    }
  }

  /** Teams, channels and their members; whether it was one of these calls. */
  #answerChannels(
    method: string,
    path: string,
    url: URL,
    body: Buffer,
    response: ServerResponse,
  ): boolean {
    const [, first, id = "", second, third = ""] = path.split("/");
    const send = (status: number, value: unknown): true => {
      sendJson(response, status, value);
      return true;
    };
    const refuse = (status: number, error: string): true => {
      fail(response, status, error);
      return true;
    };
    const shown = (channel: StandInChannel): object => ({ ...channel, members: undefined });
    const users = [this.user, this.bot];
    if (method === "GET" && first === "users" && id === "username") {
      const user = users.find(({ username }) => username === second);
      return user === undefined ? refuse(404, "store.sql_user.missing") : send(200, user);
    }
    if (method === "GET" && first === "teams" && id === "name")
      return second === this.team.name
        ? send(200, this.team)
        : refuse(404, "app.team.get_by_name.missing.app_error");
    if (method === "GET" && first === "teams" && second === "channels" && third === "name") {
      const channel = this.channels.get(path.split("/")[5] ?? "");
      const deleted = url.searchParams.get("include_deleted") === "true";
      return id !== this.team.id || channel === undefined || (channel.delete_at > 0 && !deleted)
        ? refuse(404, "app.channel.get_by_name.missing.app_error")
        : send(200, shown(channel));
    }
    if (first !== "channels") return false;
    if (method === "POST" && id === "") {
      const wanted = JSON.parse(body.toString()) as StandInChannel;
      const { name, team_id, type } = wanted;
      if (
        team_id !== this.team.id ||
        !/^[a-z0-9][a-z0-9_-]{0,63}$/.test(name) ||
        !/^[OP]$/.test(type)
      )
        return refuse(400, "model.channel.is_valid.app_error");
      const there = this.channels.get(name);
      if (there !== undefined)
        return refuse(
          400,
          there.delete_at > 0
            ? "store.sql_channel.save_channel.previously.app_error"
            : "store.sql_channel.save_channel.exists.app_error",
        );
      const channel: StandInChannel = {
        id: makeId(),
        team_id,
        name,
        display_name: wanted.display_name,
        type,
        header: wanted.header,
        purpose: wanted.purpose,
        delete_at: 0,
        members: new Set([this.bot.id]),
      };
      this.channels.set(name, channel);
      return send(201, shown(channel));
    }
    const channel = [...this.channels.values()].find((each) => each.id === id);
    if (channel === undefined) return false;
    if (method === "GET" && second === undefined) return send(200, shown(channel));
    if (method === "GET" && second === "posts") return send(200, { order: [], posts: {} });
    if (method === "DELETE" && second === undefined) {
      if (channel.delete_at > 0) return refuse(400, "api.channel.delete_channel.deleted.app_error");
      channel.delete_at = Date.now();
      return send(200, { status: "OK" });
    }
    if (method === "POST" && second === "restore") {
      if (channel.delete_at === 0)
        return refuse(400, "api.channel.restore_channel.restored.app_error");
      channel.delete_at = 0;
      return send(200, shown(channel));
    }
    if (method === "POST" && second === "members") {
      if (channel.delete_at > 0)
        return refuse(400, "api.channel.add_user_to_channel.deleted.app_error");
      const { user_id } = JSON.parse(body.toString()) as { user_id: string };
      if (!users.some((user) => user.id === user_id)) return refuse(404, "store.sql_user.missing");
      channel.members.add(user_id);
      return send(201, { channel_id: id, user_id });
    }
    return false;
  }

  connect(client: WebSocket, { headers }: IncomingMessage): void {
    const connection: MattermostConnection = {
      extensions: headers["sec-websocket-extensions"],
      credentialHeaders: ["authorization", "cookie"].filter((name) => name in headers),
      login: "none",
      pings: 0,
      open: true,
    };
    this.connections.push(connection);
    client.on("ping", () => connection.pings++);
    client.on("error", () => client.terminate());
    client.on("close", () => {
      connection.open = false;
      this.#listening.delete(client);
    });
    client.on("message", (bytes: Buffer) => {
      const { seq, action, data } = JSON.parse(bytes.toString()) as {
        seq: number;
        action: string;
        data?: { token?: unknown };
      };
      if (action !== "authentication_challenge") {
        client.send(JSON.stringify({ status: "FAIL", seq_reply: seq, error: { id: "api" } }));
        return;
      }
      if (data?.token !== this.#token) {
        connection.login = "refused";
        client.close();
        return;
      }
      connection.login = "accepted";
      this.#listening.add(client);
      client.send(
        JSON.stringify({
          event: "hello",
          data: { server_version: "10.11.0", connection_id: makeId(), token: this.#token },
          broadcast: this.#broadcast(),
          seq: this.#sequence++,
        }),
      );
      client.send(JSON.stringify({ status: "OK", seq_reply: seq }));
    });
  }

  #change(method: string, id: string, body: Buffer, response: ServerResponse): void {
    if (method === "DELETE") {
      this.replies.remove(id);
      return sendJson(response, 200, { status: "OK" });
    }
    if (method !== "PUT") return fail(response, 404, "api.context.404.app_error");
    const text = textOf(body);
    this.replies.edit(id, text);
    sendJson(response, 200, { ...this.#post(text, this.bot.id), id });
  }

  /** "posted" carries the post as text within the JSON. */
  #announce(post: { readonly channel_id: string }, sender: string): void {
    const channel = [...this.channels.values()].find(({ id }) => id === post.channel_id);
    const event = {
      event: "posted",
      data: {
        channel_display_name: channel?.display_name ?? `@${sender}`,
        channel_name: channel?.name ?? this.#channel().name,
        channel_type: channel?.type ?? "D",
        post: JSON.stringify(post),
        sender_name: `@${sender}`,
        team_id: channel?.team_id ?? "",
      },
      broadcast: this.#broadcast(post.channel_id),
      seq: this.#sequence++,
    };
    for (const client of this.#listening) client.send(JSON.stringify(event));
  }

  #broadcast(channel_id = this.#channelId): object {
    return { omit_users: null, user_id: "", channel_id, team_id: "" };
  }

  #channel() {
    return {
      id: this.#channelId,
      type: "D",
      name: `${this.bot.id}__${this.user.id}`,
      display_name: "",
      team_id: "",
    };
  }

  #post(message: string, user_id: string, channel_id = this.#channelId) {
    return {
      id: makeId(),
      create_at: Date.now(),
      update_at: Date.now(),
      user_id,
      channel_id,
      root_id: "",
      message,
      type: "",
      props: {},
      file_ids: [],
    };
  }
}

/** 26 characters in the server's own alphabet (model.NewId). */
function makeId(): string {
  const alphabet = "ybndrfg8ejkmcpqxot1uwisza345h769";
  return Array.from({ length: 26 }, () => alphabet.charAt(randomInt(alphabet.length))).join("");
}

function textOf(body: Buffer): string {
  const { message } = JSON.parse(body.toString()) as { message?: unknown };
  return typeof message === "string" ? message : "";
}

function channelOf(body: Buffer): string | undefined {
  const { channel_id } = JSON.parse(body.toString()) as { channel_id?: unknown };
  return typeof channel_id === "string" ? channel_id : undefined;
}

function fail(response: ServerResponse, status_code: number, id: string): void {
  sendJson(response, status_code, { id, message: "Refused", status_code });
}
