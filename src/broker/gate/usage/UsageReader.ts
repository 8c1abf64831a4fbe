import type { ReplyWatcher } from "../Admission.ts";
import { JsonProbe } from "./JsonProbe.ts";
import { SseReader } from "./SseReader.ts";

/** What a model service says a call has used. Tokens. */
export interface Usage {
  /** Without those that were read from or written to a cache. */
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** What was learnt from one reply. */
export interface UsageReport {
  /** Absent when the reply told none. */
  readonly usage?: Usage;
  /** US dollars, where the service says so itself. */
  readonly cost?: number;
  readonly model?: string;
  /** Whether the reply came to its end. */
  readonly finished: boolean;
  /** A guess at the tokens of the answer, for one that ended before its usage came or never told it. */
  readonly guess: number;
  /** It is a whole JSON text that tells of no usage: nothing was used. */
  readonly free: boolean;
}

/**
 * Where Anthropic (`usage`, `message.usage` in `message_start`), OpenAI (`usage`, `response.usage` in
 * `response.completed`) and Gemini (`usageMetadata`, in each chunk) have it. All are looked for in
 * every reply: several services speak more than one of these.
 */
const PATHS = [
  "usage",
  "message.usage",
  "response.usage",
  "usageMetadata",
  "model",
  "message.model",
  "response.model",
  "modelVersion",
];

/**
 * Reads tokens out of a reply while it passes: one JSON text, an array of them, or an event stream.
 * Numbers are taken by their place only, never from inside of what a model or a bot wrote. They
 * grow in the course of a stream, so that the largest counts.
 */
export class UsageReader implements ReplyWatcher {
  readonly #probe: JsonProbe;
  readonly #sse: SseReader | undefined;
  readonly #json: boolean;
  #usage: Usage | undefined;
  #cost: number | undefined;
  #model: string | undefined;
  #untold = false;
  #finished = false;
  #events = 0;
  #length = 0;
  #shortest = Infinity;

  /** @param type the reply's Content-Type. */
  constructor(type: string) {
    const probe = new JsonProbe(PATHS, (path, value) => {
      this.#learn(path, value);
    });
    this.#probe = probe;
    this.#json = /^application\/(?:[a-z.+-]+\+)?json\b/i.test(type);
    if (!/^text\/event-stream\b/i.test(type)) return;
    this.#sse = new SseReader({
      data: (bytes) => {
        probe.push(bytes);
      },
      event: (length) => {
        probe.reset();
        this.#events += 1;
        this.#length += length;
        this.#shortest = Math.min(this.#shortest, length);
      },
    });
  }

  push(chunk: Buffer): void {
    if (this.#sse !== undefined) this.#sse.push(chunk);
    else if (this.#json) {
      this.#length += chunk.length;
      this.#probe.push(chunk);
    }
  }

  /** The reply came to its end. */
  end(): void {
    this.#sse?.end();
    this.#finished = true;
  }

  report(): UsageReport {
    return {
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
      ...(this.#cost === undefined ? {} : { cost: this.#cost }),
      ...(this.#model === undefined ? {} : { model: this.#model }),
      finished: this.#finished,
      guess: this.#guess(),
      free: this.#json && this.#finished && !this.#untold,
    };
  }

  /**
   * Each event of a stream is taken for one token, and what it is longer than the shortest for more, at
   * four bytes each. Of a JSON reply that was cut all is taken for text.
   */
  #guess(): number {
    if (this.#sse !== undefined && this.#events > 0)
      return this.#events + Math.ceil((this.#length - this.#events * this.#shortest) / 4);
    return Math.ceil(this.#length / 4);
  }

  #learn(path: string, value: unknown): void {
    if (path.endsWith("odel") || path === "modelVersion") {
      if (typeof value === "string") this.#model ??= value.slice(0, 128);
      return;
    }
    if (typeof value !== "object" || value === null) {
      this.#untold = true;
      return;
    }
    const told = readUsage(value);
    if (told === undefined) return;
    const before = this.#usage ?? { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
    this.#usage = {
      input: Math.max(before.input, told.input),
      output: Math.max(before.output, told.output),
      cacheRead: Math.max(before.cacheRead, told.cacheRead),
      cacheWrite: Math.max(before.cacheWrite, told.cacheWrite),
    };
    const cost = "cost" in value ? value.cost : undefined;
    if (typeof cost === "number" && cost >= 0 && cost < 1e6)
      this.#cost = Math.max(this.#cost ?? 0, cost);
  }
}

/** One usage object of any of the three kinds. */
function readUsage(value: object): Usage | undefined {
  const member = (name: string): number => readCount(value, name);
  const detail = (outer: string, inner: string): number => {
    const details: unknown = Reflect.get(value, outer);
    return typeof details === "object" && details !== null ? readCount(details, inner) : 0;
  };
  if ("promptTokenCount" in value || "totalTokenCount" in value) {
    const cacheRead = member("cachedContentTokenCount");
    const prompt = member("promptTokenCount") + member("toolUsePromptTokenCount");
    const output = member("candidatesTokenCount") + member("thoughtsTokenCount");
    // A chunk may tell only the total before it tells the parts.
    const rest = Math.max(0, member("totalTokenCount") - prompt - output);
    return {
      input: Math.max(0, prompt - cacheRead),
      output: output + rest,
      cacheRead,
      cacheWrite: 0,
    };
  }
  if ("prompt_tokens" in value || "total_tokens" in value) {
    const cacheRead =
      detail("prompt_tokens_details", "cached_tokens") ||
      detail("input_tokens_details", "cached_tokens");
    const cacheWrite = detail("prompt_tokens_details", "cache_write_tokens");
    const prompt = member("prompt_tokens") || member("input_tokens");
    const output = member("completion_tokens") || member("output_tokens");
    const rest = Math.max(0, member("total_tokens") - prompt - output);
    return {
      input: Math.max(0, prompt - cacheRead - cacheWrite) + rest,
      output,
      cacheRead,
      cacheWrite,
    };
  }
  if ("input_tokens" in value || "output_tokens" in value) {
    const within = detail("input_tokens_details", "cached_tokens");
    return {
      input: Math.max(0, member("input_tokens") - within),
      output: member("output_tokens"),
      cacheRead: member("cache_read_input_tokens") + within,
      cacheWrite: member("cache_creation_input_tokens"),
    };
  }
  return undefined;
}

/** A whole number of tokens that can be true. */
function readCount(from: object, name: string): number {
  const value: unknown = Reflect.get(from, name);
  return typeof value === "number" && value >= 0 && value < 1e12 ? Math.ceil(value) : 0;
}
