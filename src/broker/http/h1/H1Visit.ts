import type { Socket } from "node:net";
import type { Header } from "../../match.ts";
import { ByteQueue } from "../ByteQueue.ts";
import { NO_BYTES, type ByteSource } from "../ByteSource.ts";
import type { ReplyHead, ReplyWriter, Visit, VisitHead } from "../Visit.ts";
import type { BotConnection } from "./BotConnection.ts";
import { composeHead, H1Reply } from "./H1Reply.ts";
import type { HeadKey } from "./headKey.ts";

/** A request of the plain kind, and the way to answer it. */
export class H1Visit implements Visit {
  readonly head: VisitHead;
  readonly body: ByteSource;
  readonly trailers: readonly Header[] = [];
  readonly persistent: boolean;
  /** Body bytes. */
  readonly length: number;
  /** Where a request with the same head may come again. */
  readonly key: HeadKey | undefined;
  readonly #connection: BotConnection;
  readonly #queue: ByteQueue | undefined;
  #listeners: (() => void)[] = [];
  #gone = false;
  #switched = false;
  #reply: H1Reply | undefined;
  /** Bytes of the body that may still be thrown away; undefined while it is read. */
  #discard: number | undefined;

  /** @param head of one whose body is not read here, if it has one. */
  constructor(
    connection: BotConnection,
    head: VisitHead,
    { persistent, length, key }: Pick<H1Visit, "persistent" | "length" | "key">,
  ) {
    this.#connection = connection;
    this.head = head;
    // What follows a request for a switch could be either protocol's.
    this.persistent = persistent && head.upgrade === undefined;
    this.length = length;
    this.key = key;
    this.#queue =
      length === 0
        ? undefined
        : new ByteQueue(() => {
            connection.socket.resume();
          });
    this.body = this.#queue ?? NO_BYTES;
  }

  get bodyComplete(): boolean {
    return this.#queue?.ended ?? true;
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

  /** What asks for it is no request of the plain kind. */
  sendContinue(): void {
    // Nobody waits for it.
  }

  get answered(): boolean {
    return this.#reply !== undefined || this.#switched;
  }

  respond(head: ReplyHead): ReplyWriter {
    const last = head.last === true || !this.persistent;
    this.#reply = new H1Reply(this.#connection, this.head.method, head, last);
    return this.#reply;
  }

  switchProtocol(headers: readonly Header[]): Socket | undefined {
    if (this.#gone || this.#reply !== undefined || this.head.upgrade === undefined)
      return undefined;
    const head = composeHead({ status: 101, reason: "Switching Protocols", headers });
    const { socket } = this.#connection;
    this.#switched = true;
    this.#connection.detach();
    socket.write(`${head}\r\n`, "latin1");
    return socket;
  }

  discardBody(most: number): void {
    if (this.bodyComplete || this.#discard !== undefined) return;
    this.#discard = most;
    this.#queue?.drop();
    this.#connection.socket.resume();
  }

  destroy(): void {
    if (!this.#switched) this.#connection.destroy();
  }

  /**
   * Bytes of the body as they come, the last ones with `end`.
   *
   * @returns `false` when it is enough for now.
   */
  take(chunk: Buffer, end: boolean): boolean {
    let room = true;
    if (this.#discard === undefined) room = this.#queue?.push(chunk) ?? true;
    else {
      this.#discard -= chunk.length;
      if (this.#discard < 0) this.#connection.destroy();
    }
    if (end) this.#queue?.end();
    return room || end;
  }

  onDrain(): void {
    this.#reply?.onDrain();
  }

  /** The bot has gone before the answer was finished. */
  leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#queue?.fail(new Error("the bot went away"));
    this.#reply?.leave();
    for (const listener of this.#listeners) listener();
    this.#listeners = [];
  }
}
