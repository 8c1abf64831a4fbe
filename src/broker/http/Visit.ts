import type { Socket } from "node:net";
import type { Header } from "../match.ts";
import type { ByteSource } from "./ByteSource.ts";

/** The head of a request, as it was sent. */
export interface VisitHead {
  readonly method: string;
  /** As it stands in the request line, or `:path`. */
  readonly target: string;
  /** What isn't `1.1` or `2` is refused. */
  readonly version: "1.0" | "1.1" | "2";
  /**
   * In order and case as sent, duplicates and all. By HTTP/2 `:authority` stands here as `host`,
   * beside the header of that name where that one says something else.
   */
  readonly headers: readonly Header[];
  /** A GET that asks to go on as a WebSocket, on a connection that could (RFC 6455 section 4.1). */
  readonly upgrade?: "websocket";
  /** HTTP/2: whether the request ended with its head, so that there is no body however its end would be told. */
  readonly empty?: boolean;
}

/** The head of an answer. The framing is the visit's own affair; a `content-length` must be right. */
export interface ReplyHead {
  readonly status: number;
  /** Printable ASCII; HTTP/2 has none. */
  readonly reason: string;
  readonly headers: readonly Header[];
  /** HTTP/1.1: the connection ends with this answer. */
  readonly last?: boolean;
}

/**
 * The answer's body. The head leaves with the first bytes, or at once by `flush`, so that a short
 * answer is one write.
 */
export interface ReplyWriter {
  /** Sends what was held back. To be called before waiting for anything. */
  flush(): void;
  /** Passes a chunk on. `false` when the bot has gone; a promise where the bot reads too slowly. */
  write(chunk: Buffer): boolean | Promise<boolean>;
  /** The last bytes, and trailers where the protocol has a place for them. `true` once all was handed to the system. */
  end(rest: Buffer, trailers: readonly Header[]): Promise<boolean>;
}

/** One request of a bot and the way to answer it, whatever protocol it came by. */
export interface Visit {
  readonly head: VisitHead;
  /** The request's body at the reader's pace. Fails when the bot goes away in the middle of it. */
  readonly body: ByteSource;
  /** Whether all of the body has come, or there is none. */
  readonly bodyComplete: boolean;
  /** After the body's end. */
  readonly trailers: readonly Header[];
  /** Whether the bot went away, or the visit was destroyed, before its answer was finished. */
  readonly gone: boolean;
  /** Calls back once when that happens; never when it has happened already. */
  onGone(listener: () => void): void;
  offGone(listener: () => void): void;
  /** Answers `Expect: 100-continue`. Once, before `respond`. */
  sendContinue(): void;
  /** Whether `respond` was called. */
  readonly answered: boolean;
  respond(head: ReplyHead): ReplyWriter;
  /**
   * Answers 101 where `head.upgrade` is there. What the bot sends from then on comes from the socket,
   * which is paused and the caller's alone; `undefined` when the bot has gone.
   */
  switchProtocol(headers: readonly Header[]): Socket | undefined;
  /** Throws away what is left of the body; more than `most` bytes of it end the connection. */
  discardBody(most: number): void;
  /** Cuts it, so that half an answer isn't taken for a whole. */
  destroy(): void;
}
