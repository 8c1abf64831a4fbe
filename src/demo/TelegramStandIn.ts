import type { ServerResponse } from "node:http";
import type { Leaf } from "../authority/index.ts";
import { Replies } from "./Replies.ts";
import { sendJson, serveHttps, type FullRequest, type HttpsServer } from "./serveHttps.ts";

/** One call of a bot; never the token. */
export interface TelegramCall {
  readonly method: string;
  readonly accepted: boolean;
}

/** An `api.telegram.org` of our own, with one bot and one user. */
export interface TelegramStandIn extends HttpsServer {
  readonly calls: readonly TelegramCall[];
  /** The user's id, who is alone with the bot in the chat of the same id. */
  readonly userId: number;
  /** Says something to the bot alone, or in a group without a mention, as the user in Telegram would. */
  sendAsUser(text: string, group?: number): void;
  /** See `Replies.next`. */
  nextReply(timeoutMs: number): Promise<string>;
}

const USER_ID = 7_000_001;

/**
 * Acts as the Bot API for one token (core.telegram.org/bots/api): 401 for another token, 404 where
 * there is none. Methods it doesn't know are answered `true`, as most of them are there.
 */
export async function startTelegramStandIn(leaf: Leaf, token: string): Promise<TelegramStandIn> {
  const chat = new Chat(Number(token.split(":")[0]));
  const calls: TelegramCall[] = [];
  const server = await serveHttps(leaf, async (request, response) => {
    const match = /^\/(file\/)?bot([^/]+)\/(.+)$/.exec(request.url.pathname);
    if (match === null) return fail(response, 404, "Not Found");
    const accepted = decodeURIComponent(match[2] ?? "") === token;
    const method = (match[3] ?? "").toLowerCase();
    calls.push({ method: match[3] ?? "", accepted });
    if (!accepted) return fail(response, 401, "Unauthorized");
    if (match[1] !== undefined) return fail(response, 404, "Not Found");
    return chat.answer(method, await readParameters(request), response);
  });
  return {
    ...server,
    calls,
    userId: USER_ID,
    sendAsUser: (text, group) => chat.receive(text, group),
    nextReply: (timeoutMs) => chat.nextReply(timeoutMs),
    close: async () => {
      chat.close();
      await server.close();
    },
  };
}

type Parameters = Readonly<Record<string, unknown>>;

/** What one user and one bot have said, and who waits for more of it. */
class Chat {
  readonly #botId: number;
  readonly #updates: { readonly update_id: number; readonly [field: string]: unknown }[] = [];
  readonly #replies = new Replies();
  readonly #timers = new Set<NodeJS.Timeout>();
  #poll: { readonly response: ServerResponse; readonly offset: number } | undefined;
  #lastId = 100;

  constructor(botId: number) {
    this.#botId = botId;
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#replies.close();
    this.#poll?.response.destroy();
  }

  receive(text: string, group?: number): void {
    const user = { id: USER_ID, is_bot: false, first_name: "Demo", username: "seawall_demo_user" };
    const message = { ...this.#envelope(group), from: user, text };
    this.#updates.push({ update_id: ++this.#lastId, message });
    this.#deliver();
  }

  nextReply(timeoutMs: number): Promise<string> {
    return this.#replies.next(timeoutMs);
  }

  answer(method: string, parameters: Parameters, response: ServerResponse): void {
    switch (method) {
      case "getme":
        return succeed(response, {
          ...this.#bot(),
          can_join_groups: true,
          can_read_all_group_messages: true,
          supports_inline_queries: false,
        });
      case "getupdates":
        return this.#wait(parameters, response);
      case "sendmessage":
        return succeed(response, this.#say(parameters));
      case "editmessagetext":
        return this.#edit(parameters, response);
      case "deletemessage":
        this.#replies.remove(messageId(parameters));
        return succeed(response, true);
      case "getchat":
        return succeed(response, {
          ...this.#envelope(parameters["chat_id"]).chat,
          accent_color_id: 0,
          max_reaction_count: 11,
        });
      case "getmycommands":
      case "getforumtopiciconstickers":
        return succeed(response, []);
      case "getwebhookinfo":
        return succeed(response, {
          url: "",
          has_custom_certificate: false,
          pending_update_count: 0,
        });
      case "getchatmember":
        return succeed(response, { status: "member", user: this.#bot() });
      case "getfile":
        return fail(
          response,
          400,
          "Bad Request: wrong file_id or the file is temporarily unavailable",
        );
      default:
        return succeed(response, true);
    }
  }

  /** Long polling as getUpdates does it: whoever polls anew ends the one before with 409. */
  #wait(parameters: Parameters, response: ServerResponse): void {
    if (this.#poll !== undefined) {
      fail(this.#poll.response, 409, "Conflict: terminated by other getUpdates request");
    }
    const offset = Number(parameters["offset"] ?? 0);
    const poll = { response, offset };
    this.#poll = poll;
    const end = (): void => {
      if (this.#poll !== poll) return;
      this.#poll = undefined;
      succeed(response, []);
    };
    response.on("close", () => {
      if (this.#poll === poll) this.#poll = undefined;
    });
    this.#deliver();
    if (this.#poll === poll) this.#after(Number(parameters["timeout"] ?? 0) * 1000, end);
  }

  #deliver(): void {
    const poll = this.#poll;
    if (poll === undefined) return;
    const due = this.#updates.filter((update) => update.update_id >= poll.offset);
    if (due.length === 0) return;
    this.#poll = undefined;
    succeed(poll.response, due);
  }

  #say(parameters: Parameters): object {
    const envelope = this.#envelope(parameters["chat_id"]);
    const text = textOf(parameters);
    this.#replies.say(String(envelope.message_id), text);
    return { ...envelope, from: this.#bot(), text };
  }

  #edit(parameters: Parameters, response: ServerResponse): void {
    this.#replies.edit(messageId(parameters), textOf(parameters));
    const message_id = Number(parameters["message_id"]);
    succeed(response, {
      ...this.#envelope(parameters["chat_id"]),
      message_id,
      from: this.#bot(),
      text: textOf(parameters),
    });
  }

  #after(ms: number, act: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  /** @param chat its id; groups have negative ones. */
  #envelope(chat: unknown = USER_ID) {
    const id = Number(chat);
    return {
      message_id: ++this.#lastId,
      date: Math.floor(Date.now() / 1000),
      chat:
        id < 0
          ? { id, type: "supergroup", title: "Team" }
          : { id: USER_ID, type: "private", first_name: "Demo", username: "seawall_demo_user" },
    };
  }

  #bot(): object {
    return {
      id: this.#botId,
      is_bot: true,
      first_name: "Seawall demo",
      username: "seawall_demo_bot",
    };
  }
}

/** Parameters come as query, form, multipart or JSON ("Making requests"). */
async function readParameters({ url, headers, body }: FullRequest): Promise<Parameters> {
  const query = Object.fromEntries(url.searchParams);
  const type = headers["content-type"] ?? "";
  if (body.length === 0) return query;
  if (type.startsWith("application/json")) {
    return { ...query, ...(JSON.parse(body.toString()) as object) };
  }
  const form = await new Response(new Uint8Array(body), {
    headers: { "content-type": type },
  }).formData();
  return { ...query, ...Object.fromEntries(form) };
}

function messageId(parameters: Parameters): string {
  return String(Number(parameters["message_id"]));
}

/** The text as the user would see it ("Formatting options": HTML knows four entities). */
function textOf({ text, parse_mode }: Parameters): string {
  if (typeof text !== "string") return "";
  if (parse_mode !== "HTML") return text;
  return text
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}

function succeed(response: ServerResponse, result: unknown): void {
  sendJson(response, 200, { ok: true, result });
}

function fail(response: ServerResponse, error_code: number, description: string): void {
  sendJson(response, error_code, { ok: false, error_code, description });
}
