import type { Header } from "../../match.ts";
import type { ReplyHead, ReplyWriter } from "../Visit.ts";
import { BodyFramer, type Framing } from "./BodyFramer.ts";
import type { BotConnection } from "./BotConnection.ts";
import { composeTrailers } from "./composeTrailers.ts";
import { composeFields, headPattern } from "./fields.ts";

const HEAD = headPattern(String.raw`HTTP/1\.1 [1-5][0-9]{2} [\t\x20-\x7e]*`);
const KEPT = "Connection: keep-alive\r\nKeep-Alive: timeout=60\r\n\r\n";
const LAST = "Connection: close\r\n\r\n";
const NOTHING = Buffer.alloc(0);

/** An answer in HTTP/1.1: a length where one is known, else chunks. */
export class H1Reply implements ReplyWriter {
  readonly #connection: BotConnection;
  readonly #last: boolean;
  readonly #head: string;
  /** Without one the choice is made when the head leaves. */
  readonly #framing: Framing | undefined;
  #framer: BodyFramer | undefined;
  #gone = false;
  #drained: ((more: boolean) => void) | undefined;
  #finished: ((whole: boolean) => void) | undefined;

  /** @throws Error when the head could be read as something else. */
  constructor(connection: BotConnection, method: string, reply: ReplyHead, last: boolean) {
    const { status, headers } = reply;
    this.#connection = connection;
    this.#last = last;
    this.#head = composeHead(reply);
    const length = headers.find((header) => isLength(header));
    if (method === "HEAD" || status === 204 || status === 304) this.#framing = "none";
    else if (length !== undefined) this.#framing = Number(length[1]);
  }

  flush(): void {
    const bytes = this.#begin("chunked").flush();
    if (bytes.length > 0 && !this.#gone) this.#connection.socket.write(bytes);
  }

  write(chunk: Buffer): boolean | Promise<boolean> {
    if (this.#gone) return false;
    const bytes = this.#begin("chunked").push(chunk);
    if (bytes === undefined) {
      this.#connection.destroy();
      return false;
    }
    if (bytes.length === 0 || this.#connection.socket.write(bytes)) return true;
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  end(rest: Buffer, trailers: readonly Header[]): Promise<boolean> {
    if (this.#gone) return Promise.resolve(false);
    const framer = this.#begin(trailers.length > 0 ? "chunked" : rest.length);
    const bytes = framer.end(rest, trailers.length > 0 ? composeTrailers(trailers) : "");
    if (bytes === undefined) {
      // Shorter than its head said: cut, so that it isn't taken for a whole.
      this.#connection.destroy();
      return Promise.resolve(false);
    }
    return new Promise((resolve) => {
      this.#finished = resolve;
      this.#connection.socket.write(bytes.length === 0 ? NOTHING : bytes, (error) => {
        if (error === null || error === undefined) this.#finish();
      });
    });
  }

  onDrain(): void {
    this.#drained?.(true);
    this.#drained = undefined;
  }

  leave(): void {
    this.#gone = true;
    this.#drained?.(false);
    this.#finished?.(false);
    this.#finished = undefined;
  }

  #finish(): void {
    const finished = this.#finished;
    if (finished === undefined) return;
    this.#finished = undefined;
    this.#gone = true;
    this.#connection.answered(this.#last);
    finished(true);
  }

  #begin(otherwise: Framing): BodyFramer {
    if (this.#framer !== undefined) return this.#framer;
    const framing = this.#framing ?? otherwise;
    let head = this.#head;
    if (this.#framing === undefined)
      head +=
        typeof framing === "number"
          ? `Content-Length: ${framing}\r\n`
          : "Transfer-Encoding: chunked\r\n";
    this.#framer = new BodyFramer(head + (this.#last ? LAST : KEPT), framing);
    return this.#framer;
  }
}

/**
 * Status line and fields, without the blank line.
 *
 * @throws Error when it could be read as something else.
 */
export function composeHead({ status, reason, headers }: ReplyHead): string {
  const head = composeFields(`HTTP/1.1 ${status} ${reason}`, headers, HEAD);
  if (head === undefined) throw new Error("not a head");
  return head;
}

function isLength([name]: Header): boolean {
  return name.length === 14 && name.toLowerCase() === "content-length";
}
