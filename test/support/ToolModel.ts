import { setTimeout as wait } from "node:timers/promises";
import { sendJson, serveHttps, type FullRequest, type HttpsServer } from "../../src/demo/index.ts";
import type { ServerResponse } from "node:http";
import type { Leaf } from "../../src/authority/index.ts";

/** A stand-in of Anthropic's Messages API that has its bot run what it is told to. */
export interface ToolModel extends HttpsServer {
  /** What the tool gave for a command, as JSON. @throws Error when it gave nothing in time. */
  readonly resultOf: (command: string) => Promise<string>;
}

const ANY = "[\\s\\S]";
const PATIENCE_MS = 120_000;

/**
 * A message with `RUN: …` on a line makes it call the exec tool with that command; what the tool gave is
 * its answer. The key must be the real one.
 */
export async function startToolModel(leaf: Leaf, key: string): Promise<ToolModel> {
  const results = new Map<string, string>();
  const server = await serveHttps(leaf, (request, response) => {
    if (request.headers["x-api-key"] !== key) return sendJson(response, 401, { type: "error" });
    if (request.url.pathname.endsWith("/count_tokens"))
      return sendJson(response, 200, { input_tokens: 1 });
    if (request.method !== "POST") return sendJson(response, 200, { data: [], has_more: false });
    answer(request, response, results);
  });
  const resultOf = async (command: string): Promise<string> => {
    for (
      const until = performance.now() + PATIENCE_MS;
      performance.now() < until;
      await wait(100)
    ) {
      const result = results.get(command);
      if (result !== undefined) return result;
    }
    throw new Error(`no result of ${command}`);
  };
  return { ...server, resultOf };
}

function answer(
  request: FullRequest,
  response: ServerResponse,
  results: Map<string, string>,
): void {
  const { messages, model } = JSON.parse(request.body.toString()) as {
    readonly model: string;
    readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  };
  const blocks = (content: unknown): Record<string, unknown>[] =>
    Array.isArray(content)
      ? (content as Record<string, unknown>[])
      : [{ type: "text", text: String(content) }];
  const ofUser = messages
    .filter(({ role }) => role === "user")
    .flatMap(({ content }) => blocks(content));
  const result = ofUser.findLastIndex(({ type }) => type === "tool_result");
  const order = ofUser.findLastIndex(
    ({ type, text }) => type === "text" && typeof text === "string" && text.includes("RUN: "),
  );
  const last = ofUser[order]?.["text"];
  const text = typeof last === "string" ? last : "";
  const command = new RegExp(`^${ANY}*RUN: ([^\\n]+)`).exec(text)?.[1];
  if (result > order) {
    const said = JSON.stringify(ofUser[result]?.["content"]);
    if (command !== undefined) results.set(command, said);
    return stream(response, model, { type: "text", text: `RESULT ${said.slice(0, 3000)}` });
  }
  if (command === undefined)
    return stream(response, model, { type: "text", text: "Nothing to do." });
  stream(response, model, { type: "tool_use", command });
}

function stream(
  response: ServerResponse,
  model: string,
  what:
    | { readonly type: "text"; readonly text: string }
    | { readonly type: "tool_use"; readonly command: string },
): void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  const send = (event: { readonly type: string; readonly [field: string]: unknown }): void => {
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  const id = `toolu_01${Math.random().toString(36).slice(2)}`;
  const usage = { input_tokens: 10, output_tokens: 1 };
  send({
    type: "message_start",
    message: {
      id: `msg_${id}`,
      type: "message",
      role: "assistant",
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage,
    },
  });
  const block =
    what.type === "text"
      ? { type: "text", text: "" }
      : { type: "tool_use", id, name: "exec", input: {} };
  send({ type: "content_block_start", index: 0, content_block: block });
  const delta =
    what.type === "text"
      ? { type: "text_delta", text: what.text }
      : { type: "input_json_delta", partial_json: JSON.stringify({ command: what.command }) };
  send({ type: "content_block_delta", index: 0, delta });
  send({ type: "content_block_stop", index: 0 });
  const stop = what.type === "text" ? "end_turn" : "tool_use";
  send({
    type: "message_delta",
    delta: { stop_reason: stop, stop_sequence: null },
    usage: { output_tokens: 5 },
  });
  send({ type: "message_stop" });
  response.end();
}
