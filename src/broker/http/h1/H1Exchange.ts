import { nameFailure } from "../../dial/nameFailure.ts";
import type { Header } from "../../match.ts";
import { ByteQueue } from "../ByteQueue.ts";
import { UpstreamError, type UpstreamExchange, type UpstreamReply } from "../UpstreamExchange.ts";
import { BodyFramer } from "./BodyFramer.ts";
import type { ComposedRequest } from "./composeRequest.ts";
import { composeTrailers } from "./composeTrailers.ts";
import type { H1Connection } from "./H1Connection.ts";
import { ReplyFault } from "./ReplyFault.ts";
import { ReplyParser, type ParsedHead, type ReplySink } from "./ReplyParser.ts";

/** One call on a connection. Silence is never an error: a model may think for minutes. */
export class H1Exchange implements UpstreamExchange, ReplySink {
  readonly reply: Promise<UpstreamReply>;
  readonly reused: boolean;
  readonly #framer: BodyFramer;
  readonly #parser: ReplyParser;
  readonly #body: ByteQueue;
  #connection: H1Connection | undefined;
  #resolve!: (reply: UpstreamReply) => void;
  #reject!: (error: UpstreamError) => void;
  #answered = false;
  #trailers: readonly Header[] = [];
  #headSent = false;
  #sent = false;
  #replied = false;
  #persistent = false;
  #drained: ((more: boolean) => void) | undefined;

  constructor(
    connection: H1Connection,
    { method, head, framing }: ComposedRequest,
    { upgrade, reused }: { readonly upgrade: boolean; readonly reused: boolean },
  ) {
    this.#connection = connection;
    this.reused = reused;
    this.#framer = new BodyFramer(head, framing);
    this.#parser = new ReplyParser(this, { method, upgrade });
    this.#body = new ByteQueue(() => this.#connection?.socket.resume());
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.reply.catch(() => undefined);
  }

  flush(): void {
    this.#send(this.#framer.flush());
  }

  write(chunk: Buffer): boolean | Promise<boolean> {
    const connection = this.#connection;
    const bytes = this.#framer.push(chunk);
    if (connection === undefined || this.#sent) return false;
    if (bytes === undefined) {
      this.destroy();
      return false;
    }
    if (this.#send(bytes)) return true;
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  end(rest: Buffer, trailers: readonly Header[]): void {
    const connection = this.#connection;
    if (connection === undefined || this.#sent) return;
    const bytes = this.#framer.end(rest, composeTrailers(trailers));
    if (bytes === undefined) {
      this.destroy();
      return;
    }
    this.#sent = true;
    this.#send(bytes);
    this.#releaseWhenOver();
  }

  destroy(): void {
    // Every call ends by it, nearly always after all is over: an error's stack trace is dear.
    if (this.#connection !== undefined) this.#fail(new UpstreamError("upstream-unreachable"));
  }

  onData(chunk: Buffer): void {
    try {
      if (!this.#headSent) throw new ReplyFault("a reply before its request");
      this.#parser.push(chunk);
    } catch (error) {
      if (!(error instanceof ReplyFault)) throw error;
      this.#fail(new UpstreamError("upstream-protocol", { cause: error }));
    }
  }

  onDrain(): void {
    this.#settleDrained(true);
  }

  /** The upstream sends nothing more. */
  onEnd(): void {
    if (!this.#parser.end()) this.onGone(undefined);
  }

  onGone(error: Error | undefined): void {
    const { begun } = this.#parser;
    const code = error === undefined && begun ? "upstream-protocol" : nameFailure(error);
    this.#fail(new UpstreamError(code, { cause: error, stale: this.reused && !begun }));
  }

  onHead(head: ParsedHead): void {
    const trailers = (): readonly Header[] => this.#trailers;
    this.#persistent = head.persistent;
    this.#answered = true;
    this.#resolve({
      status: head.status,
      reason: head.reason,
      headers: head.headers,
      body: this.#body,
      get trailers() {
        return trailers();
      },
    });
  }

  onBody(chunk: Buffer): void {
    if (!this.#body.push(chunk)) this.#connection?.socket.pause();
  }

  onEndOfReply(trailers: readonly Header[], rest: Buffer): void {
    this.#trailers = trailers;
    this.#replied = true;
    if (rest.length > 0) this.#persistent = false;
    this.#body.end();
    this.#releaseWhenOver();
  }

  onSwitch(head: ParsedHead, rest: Buffer): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#answered = true;
    this.#replied = true;
    connection.detach();
    const { socket } = connection;
    socket.pause();
    if (rest.length > 0) socket.unshift(rest);
    this.#body.end();
    this.#resolve({ ...head, body: this.#body, trailers: [], switched: socket });
  }

  /** `true` where more may be written. */
  #send(bytes: Buffer): boolean {
    if (bytes.length === 0 || this.#connection === undefined) return true;
    this.#headSent = true;
    return this.#connection.socket.write(bytes);
  }

  #releaseWhenOver(): void {
    const connection = this.#connection;
    if (!this.#replied || connection === undefined) return;
    if (this.#sent && this.#persistent) {
      this.#connection = undefined;
      connection.release();
    } else if (this.#sent) {
      this.#connection = undefined;
      connection.close();
    }
  }

  #fail(error: UpstreamError): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#settleDrained(false);
    this.#body.fail(error);
    if (!this.#answered) this.#reject(error);
    connection.close();
  }

  #settleDrained(more: boolean): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.(more);
  }
}
