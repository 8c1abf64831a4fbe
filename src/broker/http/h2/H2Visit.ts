import type { ServerHttp2Stream } from "node:http2";
import { pairHeaders, type Header } from "../../match.ts";
import { ByteQueue } from "../ByteQueue.ts";
import { NO_BYTES, type ByteSource } from "../ByteSource.ts";
import type { ReplyHead, ReplyWriter, Visit, VisitHead } from "../Visit.ts";
import { H2Reply } from "./H2Reply.ts";

const NO_ERROR = 0;
const INTERNAL_ERROR = 2;

/** A stream of HTTP/2 as a visit. */
export class H2Visit implements Visit {
  readonly head: VisitHead;
  readonly body: ByteSource;
  readonly #stream: ServerHttp2Stream;
  readonly #queue: ByteQueue | undefined;
  #listeners: (() => void)[] = [];
  #trailers: readonly Header[] = [];
  #gone = false;
  #reply: H2Reply | undefined;
  #discarding = false;

  constructor(stream: ServerHttp2Stream, head: VisitHead) {
    this.head = head;
    this.#stream = stream;
    stream.on("error", () => undefined);
    stream.on("aborted", () => {
      this.#leave();
    });
    stream.on("close", () => {
      if (this.#reply?.finished !== true) this.#leave();
    });
    stream.on("drain", () => this.#reply?.onDrain());
    if (head.empty === true) {
      this.body = NO_BYTES;
      return;
    }
    const queue = new ByteQueue(() => stream.resume());
    this.#queue = queue;
    this.body = queue;
    stream.on("trailers", (_trailers, _flags, raw: unknown) => {
      if (Array.isArray(raw)) this.#trailers = pairHeaders(raw as string[]);
    });
    stream.on("data", (chunk: Buffer) => {
      if (!queue.push(chunk)) stream.pause();
    });
    stream.on("end", () => {
      // A stream that was reset ends too.
      if (stream.aborted || stream.rstCode !== NO_ERROR) queue.fail(new Error("reset"));
      else queue.end();
    });
  }

  get bodyComplete(): boolean {
    return this.#queue?.ended ?? true;
  }

  get trailers(): readonly Header[] {
    return this.#trailers;
  }

  get gone(): boolean {
    return this.#gone;
  }

  onGone(listener: () => void): void {
    this.#listeners.push(listener);
  }

  offGone(listener: () => void): void {
    this.#listeners = this.#listeners.filter((each) => each !== listener);
  }

  sendContinue(): void {
    if (!this.#stream.destroyed) this.#stream.additionalHeaders({ ":status": 100 });
  }

  get answered(): boolean {
    return this.#reply !== undefined;
  }

  respond(head: ReplyHead): ReplyWriter {
    const stream = this.#stream;
    this.#reply = new H2Reply(stream, this.head.method, head, () => {
      // The rest of the body is wanted by nobody (RFC 9113 section 8.1).
      if (!this.bodyComplete) stream.close(NO_ERROR);
    });
    return this.#reply;
  }

  /** WebSockets over HTTP/2 (RFC 8441) aren't spoken. */
  switchProtocol(): undefined {
    this.destroy();
  }

  discardBody(): void {
    if (this.bodyComplete || this.#discarding) return;
    this.#discarding = true;
    // Flow control keeps it short: the stream is closed when the answer is out.
    this.#queue?.drop();
    this.#stream.resume();
  }

  destroy(): void {
    // The answer's END_STREAM waits for its trailers, so that this can't look like its end.
    this.#stream.close(INTERNAL_ERROR);
    this.#leave();
  }

  #leave(): void {
    if (this.#gone || this.#reply?.finished === true) return;
    this.#gone = true;
    this.#queue?.fail(new Error("the bot went away"));
    this.#reply?.leave();
    for (const listener of this.#listeners) listener();
    this.#listeners = [];
  }
}
