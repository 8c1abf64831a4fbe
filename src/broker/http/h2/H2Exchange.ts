import { STATUS_CODES } from "node:http";
import type { ClientHttp2Stream } from "node:http2";
import { nameFailure } from "../../dial/nameFailure.ts";
import { pairHeaders, type Header } from "../../match.ts";
import type { RefusalCode } from "../../Refusal.ts";
import { ByteQueue } from "../ByteQueue.ts";
import { UpstreamError, type UpstreamExchange, type UpstreamReply } from "../UpstreamExchange.ts";
import { h2Trailers } from "./h2Fields.ts";

const NO_ERROR = 0;
const REFUSED_STREAM = 7;
const CANCEL = 8;
const MOST_INTERIM = 16;

/** One call on a stream. */
export class H2Exchange implements UpstreamExchange {
  readonly reply: Promise<UpstreamReply>;
  readonly reused: boolean;
  readonly #stream: ClientHttp2Stream;
  readonly #body: ByteQueue;
  #reject: ((error: UpstreamError) => void) | undefined;
  #trailers: readonly Header[] = [];
  #sent = false;
  #drained: ((more: boolean) => void) | undefined;

  constructor(stream: ClientHttp2Stream, reused: boolean) {
    this.#stream = stream;
    this.reused = reused;
    this.#body = new ByteQueue(() => stream.resume());
    this.reply = new Promise((resolve, reject) => {
      this.#reject = reject;
      stream.once("response", (_headers, _flags, raw: unknown) => {
        const reply = this.#describe(Array.isArray(raw) ? pairHeaders(raw as string[]) : []);
        if (reply === undefined) {
          this.#fail("upstream-protocol");
          return;
        }
        this.#reject = undefined;
        resolve(reply);
      });
    });
    this.reply.catch(() => undefined);
    this.#listen();
  }

  flush(): void {
    // The head left when the stream was opened.
  }

  write(chunk: Buffer): boolean | Promise<boolean> {
    if (this.#sent || this.#stream.destroyed || this.#stream.closed) return false;
    if (this.#stream.write(chunk)) return true;
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  end(rest: Buffer, trailers: readonly Header[]): void {
    if (this.#sent || this.#stream.destroyed || this.#stream.closed) return;
    this.#sent = true;
    const last = h2Trailers(trailers);
    this.#stream.once("wantTrailers", () => {
      this.#stream.sendTrailers(last);
    });
    this.#stream.end(rest);
  }

  destroy(): void {
    if (this.#stream.destroyed || this.#stream.closed) return;
    this.#stream.close(CANCEL);
  }

  #listen(): void {
    const stream = this.#stream;
    let interim = 0;
    stream.on("headers", () => {
      interim += 1;
      if (interim > MOST_INTERIM) this.#fail("upstream-protocol");
    });
    stream.on("trailers", (_trailers, _flags, raw: unknown) => {
      if (Array.isArray(raw)) this.#trailers = pairHeaders(raw as string[]);
    });
    stream.on("drain", () => {
      this.#settleDrained(true);
    });
    stream.on("data", (chunk: Buffer) => {
      if (!this.#body.push(chunk)) stream.pause();
    });
    stream.on("end", () => {
      // A stream that was reset or lost its session ends too.
      if (stream.rstCode === NO_ERROR) this.#body.end();
      else this.#fail("upstream-protocol");
    });
    stream.on("error", (error: NodeJS.ErrnoException) => {
      this.#fail(this.#codeOf(error), error);
    });
    stream.on("close", () => {
      this.#fail(stream.rstCode === NO_ERROR ? "upstream-unreachable" : "upstream-protocol");
    });
  }

  #codeOf(error: NodeJS.ErrnoException): RefusalCode {
    return error.code?.startsWith("ERR_HTTP2") === true ? "upstream-protocol" : nameFailure(error);
  }

  #describe(fields: readonly Header[]): UpstreamReply | undefined {
    const status = Number(fields.find(([name]) => name === ":status")?.[1]);
    if (!(status >= 200 && status <= 599)) return undefined;
    const trailers = (): readonly Header[] => this.#trailers;
    return {
      status,
      reason: STATUS_CODES[status] ?? "",
      headers: fields.filter(([name]) => !name.startsWith(":")),
      body: this.#body,
      get trailers() {
        return trailers();
      },
    };
  }

  #fail(code: RefusalCode, cause?: unknown): void {
    // A server that refuses a stream has not looked at it (RFC 9113 section 8.7).
    const stale =
      this.#stream.rstCode === REFUSED_STREAM || (this.reused && this.#stream.rstCode === CANCEL);
    const error = new UpstreamError(code, { cause, stale });
    this.#reject?.(error);
    this.#reject = undefined;
    this.#body.fail(error);
    this.#settleDrained(false);
    this.destroy();
  }

  #settleDrained(more: boolean): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.(more);
  }
}
