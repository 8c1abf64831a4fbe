import type { Header } from "../../match.ts";
import { ChunkReader } from "./ChunkReader.ts";
import { headPattern, splitFields } from "./fields.ts";
import { ReplyFault } from "./ReplyFault.ts";

/** The head of a reply as an HTTP/1.1 server sent it. */
export interface ParsedHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Header[];
  /** Whether another reply may follow on the connection. */
  readonly persistent: boolean;
}

/** What a reply parser tells, in order: one head, its body, one end. */
export interface ReplySink {
  onHead(head: ParsedHead): void;
  onBody(chunk: Buffer): void;
  /** @param rest bytes after the reply's end. */
  onEndOfReply(trailers: readonly Header[], rest: Buffer): void;
  /** 101, which was asked for: all that follows is another protocol's. */
  onSwitch(head: ParsedHead, rest: Buffer): void;
}

const LONGEST_HEAD = 64 * 1024;
const MOST_HEADERS = 256;
const MOST_INTERIM = 16;
const HEAD_END = Buffer.from("\r\n\r\n");
/** Status line (RFC 9112 section 4); a missing blank before an empty reason is common and harmless. */
const HEAD = headPattern(String.raw`HTTP/1\.([01]) ([1-5][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?`);
const NOTHING = Buffer.alloc(0);

/**
 * Reads one reply (RFC 9112 section 6.3) and refuses whatever has two readings: lengths that stand
 * twice or beside chunks, other transfer codings, folded or malformed fields, bare CR or LF.
 * Interim replies are dropped, at most sixteen.
 */
export class ReplyParser {
  readonly #sink: ReplySink;
  readonly #bodiless: boolean;
  readonly #switchAsked: boolean;
  #state: "head" | "length" | "chunks" | "close" | "over" = "head";
  /** An unfinished head. */
  #held: Buffer = NOTHING;
  /** Where in it the end can't be before. */
  #searched = 0;
  #left = 0;
  #chunks: ChunkReader | undefined;
  #interim = 0;

  /** @param asked HEAD is answered without body; `upgrade`: 101 may come. */
  constructor(sink: ReplySink, asked: { readonly method: string; readonly upgrade: boolean }) {
    this.#sink = sink;
    this.#bodiless = asked.method === "HEAD";
    this.#switchAsked = asked.upgrade;
  }

  /** Whether any byte of a reply has come. */
  get begun(): boolean {
    return this.#state !== "head" || this.#held.length > 0 || this.#interim > 0;
  }

  /** @throws ReplyFault. */
  push(chunk: Buffer): void {
    let bytes = chunk;
    while (this.#state === "head" && bytes.length > 0) bytes = this.#readHead(bytes);
    if (bytes.length === 0) return;
    switch (this.#state) {
      case "length":
        this.#readLength(bytes);
        return;
      case "chunks":
        this.#readChunks(bytes);
        return;
      case "close":
        this.#sink.onBody(bytes);
        return;
      case "head":
      case "over":
    }
  }

  /**
   * The connection's other half was closed.
   *
   * @returns whether that ended the reply as it should; otherwise it is cut short.
   */
  end(): boolean {
    if (this.#state !== "close") return this.#state === "over";
    this.#finish([], NOTHING);
    return true;
  }

  /** @returns what follows the head; empty when it isn't whole yet. */
  #readHead(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const end = bytes.indexOf(HEAD_END, this.#searched);
    if ((end < 0 ? bytes.length : end) > LONGEST_HEAD) throw new ReplyFault("head too long");
    if (end < 0) {
      this.#held = bytes;
      this.#searched = Math.max(0, bytes.length - 3);
      return NOTHING;
    }
    this.#held = NOTHING;
    this.#searched = 0;
    const rest = bytes.subarray(end + 4);
    const head = parseHead(bytes.toString("latin1", 0, end + 2));
    if (head.status >= 200) {
      this.#begin(head, rest);
      return this.#state === "over" ? NOTHING : rest;
    }
    if (head.status === 101) {
      if (!this.#switchAsked) throw new ReplyFault("protocol switch that nobody asked for");
      this.#state = "over";
      this.#sink.onSwitch(head, rest);
      return NOTHING;
    }
    this.#interim += 1;
    if (this.#interim > MOST_INTERIM) throw new ReplyFault("too many interim replies");
    return rest;
  }

  #begin(head: ParsedHead & { readonly framing: Framing }, rest: Buffer): void {
    const { status, framing } = head;
    if (this.#bodiless || status === 204 || status === 304) {
      this.#sink.onHead(head);
      this.#finish([], rest);
    } else if (framing === "chunked") {
      this.#chunks = new ChunkReader();
      this.#state = "chunks";
      this.#sink.onHead(head);
    } else if (framing === "close") {
      this.#state = "close";
      this.#sink.onHead({ ...head, persistent: false });
    } else {
      this.#left = framing;
      this.#state = "length";
      this.#sink.onHead(head);
      if (framing === 0) this.#finish([], rest);
    }
  }

  #readLength(bytes: Buffer): void {
    const { length } = bytes;
    if (length < this.#left) {
      this.#left -= length;
      this.#sink.onBody(bytes);
      return;
    }
    const rest = length === this.#left ? NOTHING : bytes.subarray(this.#left);
    this.#sink.onBody(rest.length === 0 ? bytes : bytes.subarray(0, this.#left));
    this.#finish([], rest);
  }

  #readChunks(bytes: Buffer): void {
    const chunks = this.#chunks;
    if (chunks === undefined) return;
    const done = chunks.push(bytes, (data) => {
      this.#sink.onBody(data);
    });
    if (done !== undefined) this.#finish(done.trailers, done.rest);
  }

  #finish(trailers: readonly Header[], rest: Buffer): void {
    this.#state = "over";
    this.#sink.onEndOfReply(trailers, rest);
  }
}

/** Body bytes, or how their end is told. */
type Framing = number | "chunked" | "close";

/** @throws ReplyFault. */
function parseHead(text: string): ParsedHead & { readonly framing: Framing } {
  const match = HEAD.exec(text);
  if (match === null) throw new ReplyFault("malformed head");
  const [, minor, status = "", reason = ""] = match;
  const headers = splitFields(text, text.indexOf("\r\n") + 2);
  if (headers.length > MOST_HEADERS) throw new ReplyFault("too many headers");
  let length: string | undefined;
  let coding: string | undefined;
  let persistent = minor === "1";
  for (const [name, value] of headers) {
    switch (
      name.length === 14 || name.length === 17 || name.length === 10 ? name.toLowerCase() : ""
    ) {
      case "content-length":
        if (length !== undefined) throw new ReplyFault("two lengths");
        length = value;
        break;
      case "transfer-encoding":
        if (coding !== undefined) throw new ReplyFault("two transfer codings");
        coding = value;
        break;
      case "connection":
        if (/\bclose\b/i.test(value)) persistent = false;
        break;
      default:
    }
  }
  const framing = readFraming(length, coding, minor === "1");
  return { status: Number(status), reason, headers, persistent, framing };
}

function readFraming(
  length: string | undefined,
  coding: string | undefined,
  mayChunk: boolean,
): Framing {
  if (coding !== undefined) {
    if (length !== undefined) throw new ReplyFault("a length beside chunks");
    if (!mayChunk || coding.toLowerCase() !== "chunked") throw new ReplyFault("transfer coding");
    return "chunked";
  }
  if (length === undefined) return "close";
  if (!/^[0-9]{1,15}$/.test(length)) throw new ReplyFault("length");
  return Number(length);
}
