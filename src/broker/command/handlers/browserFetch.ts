import type { Socket } from "node:net";
import type { Json, JsonObject } from "../../../plan/index.ts";
import type { CommandHandler, HandledRequest, HandlerEnd } from "../Handler.ts";
import { placeOf } from "../placeOf.ts";

/** A screenshot in base64, and what is said with it. */
const LONGEST_REPLY = 40 * 1024 * 1024;

/**
 * Pages, read by a browser that runs in a wall of its own behind a process of its own (`src/services/browser`):
 * nothing of the web is ever looked at here. What the bot may open is that process's to decide, by the grant.
 */
export const browserFetch: CommandHandler = {
  name: "browser-fetch",

  hostOf: ({ url }) => placeOf(url),

  async run(request, tools) {
    const { signal } = tools;
    const socket = await tools.dialProgram();
    if (socket === undefined)
      return { end: "failed", code: "no-program", message: "there is no browser to be had" };
    const giveUp = (): void => {
      socket.destroy();
    };
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      socket.on("error", () => undefined);
      if (signal.aborted) giveUp();
      socket.write(`${JSON.stringify(orderOf(request))}\n`);
      const reply = await readReply(socket);
      if (reply === undefined)
        return { end: "failed", code: "no-answer", message: "the browser's process ended" };
      if (reply["end"] !== "done") return refusalOf(reply);
      const page = reply["page"] as JsonObject;
      if (request.operation !== "screenshot") return { end: "done", value: answerOf(reply, page) };
      const { screenshot } = page;
      if (typeof screenshot !== "string")
        return { end: "failed", code: "no-picture", message: "the page could not be drawn" };
      await tools.write(Buffer.from(screenshot, "base64"));
      return { end: "done" };
    } finally {
      signal.removeEventListener("abort", giveUp);
      socket.destroy();
    }
  },
};

/** In the form of `PageRequest` in src/services/browser/messages.ts. */
function orderOf({ operation, input }: HandledRequest): JsonObject {
  const { url, links, characters, wait, whole, width, height } = input;
  const said = { url, links, mostCharacters: characters, wait, fullPage: whole, width, height };
  const given = Object.entries(said).flatMap(([name, value]): [string, Json][] =>
    value === undefined ? [] : [[name, value]],
  );
  return { operation, ...Object.fromEntries(given) };
}

/** What is not so is left out: an agent reads all of it. */
function answerOf(reply: JsonObject, page: JsonObject): JsonObject {
  const { cut, complete, ...rest } = page;
  const refused = reply["refused"];
  return {
    ...rest,
    ...(cut === true ? { cut } : {}),
    ...(complete === false ? { complete } : {}),
    ...(Array.isArray(refused) && refused.length > 0 ? { refused } : {}),
  };
}

function refusalOf({ end, code, message }: JsonObject): HandlerEnd {
  const why = {
    code: typeof code === "string" ? code : "no-answer",
    message: typeof message === "string" ? message : "the browser's process made no sense",
  };
  if (end !== "refused") return { end: "failed", ...why };
  return { end, ...why, rule: why.code === "host-not-granted" ? "allowHosts" : why.code };
}

async function readReply(socket: Socket): Promise<JsonObject | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > LONGEST_REPLY) socket.destroy();
  });
  await new Promise<void>((resolve) => {
    socket.once("end", resolve);
    socket.once("close", () => {
      resolve();
    });
  });
  const text = Buffer.concat(chunks).toString("utf8");
  if (!text.endsWith("\n")) return undefined;
  return JSON.parse(text) as JsonObject;
}
