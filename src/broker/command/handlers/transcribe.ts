import type { JsonObject } from "../../../plan/index.ts";
import { formBody } from "../audio/formBody.ts";
import type { BodyRoom } from "../../body/BodyRooms.ts";
import { sniffAudio, type AudioFormat } from "../audio/sniffAudio.ts";
import type {
  CommandHandler,
  HandledRequest,
  HandlerEnd,
  HandlerReply,
  HandlerTools,
} from "../Handler.ts";

/** What OpenAI's API takes; whisper.cpp takes more, but this is held in memory meanwhile. */
const MOST_AUDIO_BYTES = 25 * 1024 * 1024;
const MOST_REPLY_BYTES = 8 * 1024 * 1024;
/** An hour of speech on an old processor; the client can give up at any time. */
const THINKING_MS = 20 * 60_000;

/** How a call that no rule allows is refused; the second where it needs no credential. */
const NO_RULE: ReadonlySet<string> = new Set(["not-allowed", "no-credential"]);

/** Where each of the two kinds of server takes recordings, in the order to try. */
const APIS = ["/v1/audio/transcriptions", "/inference"] as const;

/**
 * A recording's words. What comes must be audio by its content, and goes as one form to the grant's server, as a
 * call of the bot's own: rules, limits and record are those of any other.
 */
export const transcribe: CommandHandler = {
  name: "transcribe",
  async run(request, tools) {
    if (request.body === undefined)
      return { end: "usage", message: "say which recording, as --input recording.wav" };
    const room = tools.parts.bodies.enter(request.bot);
    try {
      return await transcribeBody(request, tools, room);
    } finally {
      room.leave();
    }
  },
};

async function transcribeBody(
  request: HandledRequest,
  tools: HandlerTools,
  room: BodyRoom,
): Promise<HandlerEnd> {
  const read = await readAll(request, tools.signal, room);
  if ("end" in read) return read;
  const { audio } = read;
  const format = sniffAudio(audio);
  if (format === undefined)
    return {
      end: "usage",
      message: "this is no recording in a known format: wav, mp3, ogg, opus, flac, m4a or webm",
    };
  const language = textIn(request.input, "language") ?? "auto";
  if (!/^(?:auto|[a-z]{2,3}(?:-[A-Za-z]{2,4})?)$/.test(language))
    return { end: "usage", message: 'a language is written as "en", "de" or "auto"' };
  return ask(request.input, { audio, format }, tools);
}

async function ask(
  input: JsonObject,
  { audio, format }: { readonly audio: Buffer; readonly format: AudioFormat },
  tools: HandlerTools,
): Promise<HandlerEnd> {
  const [language, prompt] = [textIn(input, "language"), textIn(input, "prompt")];
  const segments = input["segments"] === true;
  const fields = {
    model: textIn(input, "model") ?? "whisper-1",
    response_format: segments ? "verbose_json" : "json",
    ...(language === undefined ? {} : { language }),
    ...(prompt === undefined ? {} : { prompt }),
  };
  const fileName = `audio.${format.extension}`;
  const { contentType, body } = formBody(fields, {
    name: "file",
    fileName,
    mediaType: format.mediaType,
    bytes: audio,
  });
  let last: HandlerReply | undefined;
  for (const target of APIS) {
    const reply = await tools.call({
      method: "POST",
      target,
      headers: [["content-type", contentType]],
      body,
      mostBytes: MOST_REPLY_BYTES,
      idleMs: THINKING_MS,
    });
    // A server of the other kind doesn't know the path, and a grant may have only one of the two.
    const notHere = [404, 405, 501].includes(reply.status) || NO_RULE.has(refusedAs(reply) ?? "");
    if (!notHere) return readReply(reply, segments);
    if (last === undefined || reply.refused === undefined) last = reply;
  }
  return last?.refused === undefined
    ? {
        end: "failed",
        code: "no-transcription",
        message:
          "the server at the grant's url knows neither OpenAI's nor whisper.cpp's way to ask it",
      }
    : readReply(last, segments);
}

function textIn(input: JsonObject, name: string): string | undefined {
  const value = input[name];
  return typeof value === "string" ? value : undefined;
}

/** Why the broker refused the call, which its answer says. */
function refusedAs({ refused, body }: HandlerReply): string | undefined {
  if (refused === undefined) return undefined;
  const error = parse(body)?.["error"];
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : "";
  return typeof code === "string" && code !== "" ? code : refused;
}

function readReply(reply: HandlerReply, segments: boolean): HandlerEnd {
  const { status, body } = reply;
  const refused = refusedAs(reply);
  if (refused !== undefined && (status === 403 || status === 429 || status === 402))
    return { end: "refused", code: refused, message: "the grant doesn't allow it" };
  if (refused !== undefined || status === 0)
    return {
      end: "failed",
      code: refused ?? "no-answer",
      message: "the server could not be asked",
    };
  const said = parse(body);
  if (status !== 200)
    return {
      end: "failed",
      code: "service-error",
      message: `the server answered ${status}${reasonIn(said)}`,
    };
  if (typeof said?.["text"] !== "string")
    return { end: "failed", code: "service-protocol", message: "the server's answer has no text" };
  const { language, duration } = said;
  return {
    end: "done",
    value: {
      text: said["text"].trim(),
      ...(typeof language === "string" ? { language } : {}),
      ...(typeof duration === "number" ? { duration } : {}),
      ...(segments && Array.isArray(said["segments"])
        ? { segments: said["segments"].flatMap(readSegment) }
        : {}),
    },
  };
}

function readSegment(value: unknown): JsonObject[] {
  if (typeof value !== "object" || value === null) return [];
  const { start, end, text } = value as Record<string, unknown>;
  if (typeof start !== "number" || typeof end !== "number" || typeof text !== "string") return [];
  return [{ start, end, text: text.trim() }];
}

/** What OpenAI's servers say in `error.message`, whisper.cpp's in `error`. */
function reasonIn(said: Record<string, unknown> | undefined): string {
  const error = said?.["error"];
  const message =
    typeof error === "object" && error !== null && "message" in error ? error.message : error;
  return typeof message === "string"
    ? `: ${message.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 200)}`
    : "";
}

function parse(body: Buffer): Record<string, unknown> | undefined {
  try {
    const said: unknown = JSON.parse(body.toString("utf8"));
    return typeof said === "object" && said !== null
      ? (said as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

async function readAll(
  { body }: HandledRequest,
  signal: AbortSignal,
  room: BodyRoom,
): Promise<{ readonly audio: Buffer } | HandlerEnd> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    if (signal.aborted) return { end: "failed", code: "given-up", message: "nobody waits for it" };
    size += chunk.length;
    if (size > MOST_AUDIO_BYTES)
      return {
        end: "usage",
        message: `a recording has at most ${MOST_AUDIO_BYTES / 1024 / 1024} MB; cut it into parts`,
      };
    // Once as it came, and once in the form.
    if (!room.take(2 * chunk.length))
      return { end: "refused", code: "too-many-bodies", message: "too much is being sent at once" };
    chunks.push(chunk);
  }
  return { audio: Buffer.concat(chunks) };
}
