import type { ServerResponse } from "node:http";
import type { Leaf } from "../../src/authority/index.ts";
import {
  Replies,
  sendJson,
  serveHttps,
  type FullRequest,
  type HttpsServer,
} from "../../src/demo/index.ts";

/** One call of a bot; never the token. */
export interface MatrixCall {
  readonly method: string;
  readonly path: string;
  /** `open` are those that take no token. */
  readonly login: "accepted" | "refused" | "open";
}

/** A homeserver of our own, with one bot, one user, and a room that the user has invited the bot into. */
export interface MatrixStandIn extends HttpsServer {
  readonly calls: readonly MatrixCall[];
  readonly userId: string;
  /** Whether the bot has come into the room. */
  readonly joined: boolean;
  /** Says something in the room. */
  sendAsUser(text: string): void;
  /** See `Replies.next`. */
  nextReply(timeoutMs: number): Promise<string>;
}

const USER = "@owner:example.com";
const BOT = "@seawall:example.com";
const DEVICE = "SEAWALLBOT";
const ROOM = "!0wner5Room:example.com";

interface RoomEvent {
  readonly event_id: string;
  readonly type: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly content: Readonly<Record<string, unknown>>;
  readonly state_key?: string;
}

/**
 * Acts as the client-server API for one access token (spec.matrix.org, version 1.11): 401 for another token,
 * a sync that waits for what is new. `whoami` repeats the token, as no service should: what the bot gets to see of it
 * is the broker's business.
 */
export async function startMatrixStandIn(leaf: Leaf, token: string): Promise<MatrixStandIn> {
  const matrix = new Matrix(token);
  const server = await serveHttps(leaf, (request, response) => matrix.answer(request, response));
  return {
    ...server,
    calls: matrix.calls,
    userId: USER,
    get joined() {
      return matrix.joined;
    },
    sendAsUser: (text) => matrix.receive(text),
    nextReply: (timeoutMs) => matrix.replies.next(timeoutMs),
    close: async () => {
      matrix.replies.close();
      matrix.close();
      await server.close();
    },
  };
}

class Matrix {
  readonly calls: MatrixCall[] = [];
  readonly replies = new Replies();
  readonly #token: string;
  /** All that happened in the room; a position in it is what a client has synchronized up to. */
  readonly #events: RoomEvent[] = [];
  /** Where the bot came in. */
  #joinedAt: number | undefined;
  readonly #waiting = new Set<() => void>();
  #last = 0;

  constructor(token: string) {
    this.#token = token;
    this.#say("m.room.create", USER, { creator: USER, room_version: "10" }, "");
    this.#say("m.room.member", USER, { membership: "join", displayname: "Owner" }, USER);
    this.#say("m.room.power_levels", USER, { users: { [USER]: 100 } }, "");
    this.#say("m.room.member", USER, { membership: "invite", is_direct: true }, BOT);
  }

  get joined(): boolean {
    return this.#joinedAt !== undefined;
  }

  close(): void {
    for (const end of this.#waiting) end();
  }

  receive(text: string): void {
    this.#say("m.room.message", USER, { msgtype: "m.text", body: text });
  }

  answer(
    { method, url, headers, body }: FullRequest,
    response: ServerResponse,
  ): void | Promise<void> {
    const path = decodeURIComponent(url.pathname);
    const open = path === "/_matrix/client/versions";
    const accepted = headers.authorization === `Bearer ${this.#token}`;
    this.calls.push({ method, path, login: open ? "open" : accepted ? "accepted" : "refused" });
    const say = (status: number, json: object): void => sendJson(response, status, json);
    if (open) return say(200, { versions: ["v1.1", "v1.11"], unstable_features: {} });
    if (!accepted) return say(401, { errcode: "M_UNKNOWN_TOKEN", error: "Unknown token" });
    const call = `${method} ${path.replace(/^\/_matrix\/client\/v3/, "")}`;
    const content = (): Record<string, unknown> =>
      JSON.parse(body.toString() || "{}") as Record<string, unknown>;
    switch (call) {
      case "GET /account/whoami":
        return say(200, { user_id: BOT, device_id: DEVICE, token: this.#token });
      case "GET /capabilities":
        return say(200, { capabilities: {} });
      case "GET /pushrules/":
        return say(200, {
          global: { override: [], content: [], room: [], sender: [], underride: [] },
        });
      case `POST /user/${BOT}/filter`:
        return say(200, { filter_id: "1" });
      case "GET /joined_rooms":
        return say(200, { joined_rooms: this.joined ? [ROOM] : [] });
      case "GET /sync":
        return this.#sync(url, response);
      case `POST /join/${ROOM}`:
      case `POST /rooms/${ROOM}/join`:
        if (this.#joinedAt === undefined) {
          this.#joinedAt = this.#events.length;
          this.#say("m.room.member", BOT, { membership: "join" }, BOT);
        }
        return say(200, { room_id: ROOM });
      case `GET /rooms/${ROOM}/joined_members`:
        return say(200, {
          joined: { [USER]: { display_name: "Owner" }, ...(this.joined ? { [BOT]: {} } : {}) },
        });
      case `GET /rooms/${ROOM}/state`:
        return say(200, this.#state());
      case `PUT /user/${BOT}/account_data/m.direct`:
      case `PUT /rooms/${ROOM}/typing/${BOT}`:
      case `POST /rooms/${ROOM}/read_markers`:
        return say(200, {});
      case `GET /profile/${USER}`:
        return say(200, { displayname: "Owner" });
      default:
        break;
    }
    const [, , , , fifth = "", sixth = ""] = call.split("/");
    if (call.startsWith(`GET /rooms/${ROOM}/state/`)) {
      const found = this.#state().findLast(
        ({ type, state_key }) => type === fifth && state_key === sixth,
      );
      if (found !== undefined) return say(200, found.content);
    }
    if (call.startsWith(`PUT /rooms/${ROOM}/send/m.room.message/`))
      return say(200, { event_id: this.#speak(content()) });
    if (call.startsWith(`PUT /rooms/${ROOM}/send/m.reaction/`))
      return say(200, { event_id: this.#say("m.reaction", BOT, content()) });
    if (call.startsWith(`PUT /rooms/${ROOM}/redact/`)) {
      this.replies.remove(fifth);
      return say(200, { event_id: this.#say("m.room.redaction", BOT, { redacts: fifth }) });
    }
    if (call.startsWith(`POST /rooms/${ROOM}/receipt/`)) return say(200, {});
    return say(404, { errcode: "M_NOT_FOUND", error: "Not found" });
  }

  /** What is new since a position; waits for something to be, as long as the client says. */
  async #sync({ searchParams }: URL, response: ServerResponse): Promise<void> {
    const since = searchParams.get("since");
    const from = since === null ? undefined : Number(since.slice(1));
    const waits = Math.min(Number(searchParams.get("timeout") ?? 0), 30_000);
    if (from !== undefined && from >= this.#events.length && waits > 0) await this.#change(waits);
    const next_batch = `s${this.#events.length}`;
    sendJson(response, 200, { next_batch, rooms: this.#roomsSince(from) });
  }

  #roomsSince(from: number | undefined): object {
    const joinedAt = this.#joinedAt;
    if (joinedAt === undefined) {
      if (from !== undefined) return {};
      const events = this.#events.map(({ type, sender, content, state_key }) => ({
        type,
        sender,
        content,
        state_key,
      }));
      return { invite: { [ROOM]: { invite_state: { events } } } };
    }
    const isNew = from === undefined || from <= joinedAt;
    const events = this.#events.slice(isNew ? joinedAt : from);
    if (events.length === 0) return {};
    return {
      join: {
        [ROOM]: {
          state: { events: isNew ? this.#events.slice(0, joinedAt) : [] },
          timeline: { events, limited: false, prev_batch: "s0" },
          ephemeral: { events: [] },
          account_data: { events: [] },
          summary: { "m.joined_member_count": 2, "m.invited_member_count": 0 },
        },
      },
    };
  }

  #speak(content: Record<string, unknown>): string {
    const relation = (content["m.relates_to"] ?? {}) as { rel_type?: string; event_id?: string };
    const edited = content["m.new_content"] as { body?: unknown } | undefined;
    const id = this.#say("m.room.message", BOT, content);
    const text = edited?.body ?? content["body"];
    if (relation.rel_type === "m.replace")
      this.replies.edit(relation.event_id ?? "", typeof text === "string" ? text : "");
    else this.replies.say(id, typeof text === "string" ? text : "");
    return id;
  }

  #state(): RoomEvent[] {
    return this.#events.filter(({ state_key }) => state_key !== undefined);
  }

  #say(
    type: string,
    sender: string,
    content: Readonly<Record<string, unknown>>,
    state_key?: string,
  ): string {
    const event_id = `$seawall${++this.#last}`;
    this.#events.push({
      event_id,
      type,
      sender,
      origin_server_ts: Date.now(),
      content,
      ...(state_key === undefined ? {} : { state_key }),
    });
    for (const wake of this.#waiting) wake();
    return event_id;
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, withinMs);
      this.#waiting.add(wake);
    });
  }
}
