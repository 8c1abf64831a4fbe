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

/** A Mattermost server of our own, with one bot and one user. */
export interface MattermostStandIn extends HttpsServer {
  readonly calls: readonly MattermostCall[];
  readonly connections: readonly MattermostConnection[];
  readonly userId: string;
  /** Says something to the bot in a direct message. */
  sendAsUser(text: string): void;
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
    calls: mattermost.calls,
    connections: mattermost.connections,
    userId: mattermost.user.id,
    sendAsUser: (text) => mattermost.receive(text),
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
  readonly #bot = { id: makeId(), username: "seawall-bot", update_at: 1, is_bot: true };
  readonly #channelId = makeId();
  readonly #token: string;
  readonly #listening = new Set<WebSocket>();
  #sequence = 0;

  constructor(token: string) {
    this.#token = token;
  }

  receive(text: string): void {
    this.#announce(this.#post(text, this.user.id), this.user.username);
  }

  answer({ method, url, headers, body }: FullRequest, response: ServerResponse): void {
    const accepted = headers.authorization === `Bearer ${this.#token}`;
    this.calls.push({ method, path: url.pathname, accepted });
    if (!accepted) return fail(response, 401, "api.context.session_expired.app_error");
    const path = url.pathname.replace(/^\/api\/v4/, "");
    const post = /^\/posts\/([a-z0-9]{26})(?:\/patch)?$/.exec(path)?.[1];
    if (post !== undefined) return this.#change(method, post, body, response);
    switch (`${method} ${path}`) {
      case "GET /users/me":
        return sendJson(response, 200, this.#bot);
      case `GET /users/${this.user.id}`:
        return sendJson(response, 200, this.user);
      case `GET /users/${this.#bot.id}/teams`:
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
        const sent = this.#post(text, this.#bot.id);
        this.replies.say(sent.id, text);
        sendJson(response, 201, sent);
        return this.#announce(sent, this.#bot.username);
      }
      default:
        return fail(response, 404, "api.context.404.app_error");
    }
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
    sendJson(response, 200, { ...this.#post(text, this.#bot.id), id });
  }

  /** "posted" carries the post as text within the JSON. */
  #announce(post: object, sender: string): void {
    const event = {
      event: "posted",
      data: {
        channel_display_name: `@${sender}`,
        channel_name: this.#channel().name,
        channel_type: "D",
        post: JSON.stringify(post),
        sender_name: `@${sender}`,
        team_id: "",
      },
      broadcast: this.#broadcast(),
      seq: this.#sequence++,
    };
    for (const client of this.#listening) client.send(JSON.stringify(event));
  }

  #broadcast(): object {
    return { omit_users: null, user_id: "", channel_id: this.#channelId, team_id: "" };
  }

  #channel() {
    return {
      id: this.#channelId,
      type: "D",
      name: `${this.#bot.id}__${this.user.id}`,
      display_name: "",
      team_id: "",
    };
  }

  #post(message: string, user_id: string) {
    return {
      id: makeId(),
      create_at: Date.now(),
      update_at: Date.now(),
      user_id,
      channel_id: this.#channelId,
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

function fail(response: ServerResponse, status_code: number, id: string): void {
  sendJson(response, status_code, { id, message: "Refused", status_code });
}
