import { setTimeout as wait } from "node:timers/promises";
import { sendJson, serveHttps, type FullRequest, type HttpsServer } from "../../src/demo/index.ts";
import type { ServerResponse } from "node:http";
import type { Leaf } from "../../src/authority/index.ts";

/** A stand-in of Anthropic's Messages API that has its bot run what it is told to. */
export interface ToolModel extends HttpsServer {
  /** What the tool gave for a command, or `TOOL JSON`, as JSON. @throws Error when it gave nothing in time. */
  readonly resultOf: (command: string) => Promise<string>;
  /** The system prompt of the last turn, as JSON. */
  readonly prompt: () => string;
}

const PATIENCE_MS = 120_000;

/**
 * Each line `RUN: …` of a message makes it call the exec tool with that command, and `CALL: TOOL JSON` another
 * tool, one after the other in one turn; what the tool gave at last is its answer. The key must be the real one.
 */
export async function startToolModel(leaf: Leaf, key: string): Promise<ToolModel> {
  const results = new Map<string, string>();
  let prompt = "";
  const server = await serveHttps(leaf, (request, response) => {
    if (request.headers["x-api-key"] !== key) return sendJson(response, 401, { type: "error" });
    if (request.url.pathname.endsWith("/count_tokens"))
      return sendJson(response, 200, { input_tokens: 1 });
    if (request.method !== "POST") return sendJson(response, 200, { data: [], has_more: false });
    prompt = JSON.stringify((JSON.parse(request.body.toString()) as { system?: unknown }).system);
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
  return { ...server, resultOf, prompt: () => prompt };
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
  const order = ofUser.findLastIndex(
    ({ type, text }) => type === "text" && typeof text === "string" && /RUN: |CALL: /.test(text),
  );
  const ordered = ofUser[order]?.["text"];
  const text = typeof ordered === "string" ? ordered : "";
  const commands = [...text.matchAll(/^.*?(?:RUN|CALL): ([^\n]+)/gm)].map(
    ([, command = ""]) => command,
  );
  const given = ofUser
    .slice(order + 1)
    .filter(({ type }) => type === "tool_result")
    .map(({ content }) => JSON.stringify(content));
  for (const [index, said] of given.entries()) {
    const command = commands[index];
    if (command !== undefined) results.set(command, said);
  }
  const next = commands[given.length];
  if (next !== undefined) return stream(response, model, { type: "tool_use", command: next });
  const said = given.at(-1);
  stream(response, model, {
    type: "text",
    text: said === undefined ? "Nothing to do." : `RESULT ${said.slice(0, 3000)}`,
  });
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
  const [tool, input] = callOf(what.type === "text" ? "" : what.command);
  const block =
    what.type === "text"
      ? { type: "text", text: "" }
      : { type: "tool_use", id, name: tool, input: {} };
  send({ type: "content_block_start", index: 0, content_block: block });
  const delta =
    what.type === "text"
      ? { type: "text_delta", text: what.text }
      : { type: "input_json_delta", partial_json: input };
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

/** The tool's name and its input, as JSON. */
function callOf(order: string): readonly [string, string] {
  const [, tool, input] = /^([a-z_]+) (\{.*\})$/.exec(order) ?? [];
  return tool === undefined || input === undefined
    ? ["exec", JSON.stringify({ command: order })]
    : [tool, input];
}
