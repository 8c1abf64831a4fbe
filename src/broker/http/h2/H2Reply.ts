import type { ServerHttp2Stream } from "node:http2";
import type { Header } from "../../match.ts";
import { composeHead } from "../h1/H1Reply.ts";
import type { ReplyHead, ReplyWriter } from "../Visit.ts";
import { h2Fields, h2Trailers } from "./h2Fields.ts";

/** An answer on a stream. Its last frame is always that of the trailers, be they none. */
export class H2Reply implements ReplyWriter {
  readonly #stream: ServerHttp2Stream;
  readonly #fields: string[];
  readonly #bodiless: boolean;
  readonly #onFinished: () => void;
  #begun = false;
  #finished = false;
  #trailers: readonly Header[] = [];
  #drained: ((more: boolean) => void) | undefined;
  #ended: ((whole: boolean) => void) | undefined;

  /** @throws Error when the head could be read as something else. */
  constructor(stream: ServerHttp2Stream, method: string, head: ReplyHead, onFinished: () => void) {
    // Whoever passes it on by HTTP/1.1 must be able to.
    composeHead(head);
    this.#stream = stream;
    this.#fields = [":status", String(head.status), ...h2Fields(head.headers)];
    this.#bodiless = method === "HEAD" || head.status === 204 || head.status === 304;
    this.#onFinished = onFinished;
  }

  get finished(): boolean {
    return this.#finished;
  }

  flush(): void {
    if (!this.#bodiless) this.#begin();
  }

  write(chunk: Buffer): boolean | Promise<boolean> {
    if (!this.#usable()) return false;
    if (this.#bodiless) return true;
    this.#begin();
    if (this.#stream.write(chunk)) return true;
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  end(rest: Buffer, trailers: readonly Header[]): Promise<boolean> {
    if (!this.#usable()) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#ended = resolve;
      const stream = this.#stream;
      if (this.#bodiless || (!this.#begun && rest.length === 0 && trailers.length === 0)) {
        stream.once("finish", () => {
          this.#finish();
        });
        stream.respond(this.#fields, { endStream: true });
        this.#begun = true;
        return;
      }
      this.#trailers = trailers;
      this.#begin();
      stream.end(rest);
    });
  }

  onDrain(): void {
    this.#drained?.(true);
    this.#drained = undefined;
  }

  leave(): void {
    this.#drained?.(false);
    this.#drained = undefined;
    this.#ended?.(false);
    this.#ended = undefined;
  }

  #usable(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed && !this.#stream.writableEnded;
  }

  #begin(): void {
    if (this.#begun || !this.#usable()) return;
    this.#begun = true;
    this.#stream.once("wantTrailers", () => {
      if (this.#ended === undefined) return;
      this.#stream.sendTrailers(h2Trailers(this.#trailers));
      this.#finish();
    });
    this.#stream.respond(this.#fields, { waitForTrailers: true });
  }

  #finish(): void {
    const ended = this.#ended;
    this.#ended = undefined;
    this.#finished = true;
    ended?.(true);
    this.#onFinished();
  }
}
