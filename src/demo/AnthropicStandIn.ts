import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Leaf } from "../authority/index.ts";
import { sendJson, serveHttps, type FullRequest, type HttpsServer } from "./serveHttps.ts";

/** One call as the stand-in saw it; never the credential itself. */
export interface AnthropicCall {
  readonly method: string;
  readonly path: string;
  /** Which headers could carry a credential, by name. */
  readonly credentialHeaders: readonly string[];
  /** Whether the credential was the right one. */
  readonly accepted: boolean;
}

/** An `api.anthropic.com` of our own. */
export interface AnthropicStandIn extends HttpsServer {
  readonly calls: readonly AnthropicCall[];
}

const MODELS = ["claude-sonnet-4-6", "claude-opus-4-6", "claude-haiku-4-5"];

/**
 * Acts as the Messages API as far as a client notices (docs.anthropic.com: "Messages", "Streaming
 * messages", "Errors"), for one key. The reply is made of the user's last message, see `replyTo`.
 */
export async function startAnthropicStandIn(leaf: Leaf, key: string): Promise<AnthropicStandIn> {
  const calls: AnthropicCall[] = [];
  const server = await serveHttps(leaf, async (request, response) => {
    const accepted =
      request.headers["x-api-key"] === key || request.headers.authorization === `Bearer ${key}`;
    const credentialHeaders = ["x-api-key", "authorization"].filter(
      (name) => name in request.headers,
    );
    calls.push({ method: request.method, path: request.url.pathname, credentialHeaders, accepted });
    response.setHeader("request-id", makeId("req"));
    if (!accepted) return sendError(response, 401, "authentication_error", "invalid x-api-key");
    switch (`${request.method} ${request.url.pathname}`) {
      case "GET /v1/models":
        return sendJson(response, 200, listModels());
      case "POST /v1/messages/count_tokens":
        return sendJson(response, 200, { input_tokens: countTokens(request.body.toString()) });
      case "POST /v1/messages":
        return answerMessage(request, response);
      default:
        return sendError(response, 404, "not_found_error", "Not found");
    }
  });
  return { ...server, calls };
}

/**
 * What the stand-in says, so that the reply shows that the question came through whole: to "which word
 * comes after X" or "say the word: X" something with X, else the last line of the question again.
 */
export function replyTo(question: string): string {
  const after = [...question.matchAll(/\bword comes after\s+([\p{L}\p{N}-]+)/giu)].at(-1)?.[1];
  if (after !== undefined) return `After ${after} comes seawall.`;
  const word = [...question.matchAll(/\bword:\s*([\p{L}\p{N}-]+)/giu)].at(-1)?.[1];
  if (word !== undefined) return `The word is ${word}.`;
  return `You wrote: ${(question.trim().split("\n").at(-1) ?? "").slice(0, 500)}`;
}

async function answerMessage(request: FullRequest, response: ServerResponse): Promise<void> {
  let body: unknown;
  try {
    body = JSON.parse(request.body.toString());
  } catch {
    return sendError(response, 400, "invalid_request_error", "body: not JSON");
  }
  const { model, messages, stream } = (body ?? {}) as Record<string, unknown>;
  if (typeof model !== "string" || !Array.isArray(messages)) {
    return sendError(response, 400, "invalid_request_error", "messages: Field required");
  }
  const text = replyTo(lastUserText(messages));
  const message = {
    id: makeId("msg"),
    type: "message",
    role: "assistant",
    model,
    content: [] as unknown[],
    stop_reason: null as string | null,
    stop_sequence: null,
    usage: {
      input_tokens: countTokens(request.body.toString()),
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 1,
    },
  };
  const usage = { output_tokens: countTokens(text) };
  if (stream === true) return streamMessage(response, message, text, usage);
  sendJson(response, 200, {
    ...message,
    content: [{ type: "text", text }],
    stop_reason: "end_turn",
    usage: { ...message.usage, ...usage },
  });
}

/** Server-sent events in the order the API sends them, each written by itself. */
function streamMessage(
  response: ServerResponse,
  message: object,
  text: string,
  usage: { output_tokens: number },
): void {
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
  });
  const send = (event: { readonly type: string; readonly [field: string]: unknown }): void => {
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  send({ type: "message_start", message });
  send({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } });
  send({ type: "ping" });
  for (const part of text.match(/\S+\s*/g) ?? []) {
    send({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: part } });
  }
  send({ type: "content_block_stop", index: 0 });
  send({ type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage });
  send({ type: "message_stop" });
  response.end();
}

/** OpenClaw puts a message of its own behind the user's, marked like this. */
const OPENCLAW_CONTEXT =
  /<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>[\s\S]*?<<<END_OPENCLAW_INTERNAL_CONTEXT>>>/g;

function lastUserText(messages: readonly unknown[]): string {
  for (const message of messages.toReversed()) {
    const { role, content } = (message ?? {}) as Record<string, unknown>;
    if (role !== "user") continue;
    const blocks: unknown[] = Array.isArray(content) ? content : [{ type: "text", text: content }];
    const said = blocks
      .map((block) => (block ?? {}) as Record<string, unknown>)
      .map(({ type, text }) => (type === "text" && typeof text === "string" ? text : ""))
      .join("\n")
      .replaceAll(OPENCLAW_CONTEXT, "")
      .trim();
    if (said !== "") return said;
  }
  return "";
}

function listModels(): object {
  const data = MODELS.map((id) => ({
    type: "model",
    id,
    display_name: id,
    created_at: "2026-01-01T00:00:00Z",
  }));
  return { data, has_more: false, first_id: MODELS[0], last_id: MODELS.at(-1) };
}

function sendError(response: ServerResponse, status: number, type: string, message: string): void {
  const request_id = response.getHeader("request-id");
  sendJson(response, status, { type: "error", error: { type, message }, request_id });
}

/** Four letters to a token, roughly; nobody pays for these. */
function countTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

function makeId(kind: string): string {
  return `${kind}_01${randomBytes(11).toString("hex")}`;
}
