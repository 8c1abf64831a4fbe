import type { Socket } from "node:net";
import type { Header } from "../match.ts";
import type { RefusalCode } from "../Refusal.ts";
import type { ByteSource } from "./ByteSource.ts";

/** The head of a reply, and what comes after it. */
export interface UpstreamReply {
  readonly status: number;
  /** latin1, as it came. */
  readonly reason: string;
  readonly headers: readonly Header[];
  readonly body: ByteSource;
  /** After the body's end. */
  readonly trailers: readonly Header[];
  /** With 101, where the request asked for it: the connection, paused, another protocol's from here on. */
  readonly switched?: Socket;
}

/**
 * One request on its way to an upstream: its head is sent when it is made, the body by `write` and
 * `end`, and the reply may begin before that is over.
 */
export interface UpstreamExchange {
  /** The final reply's head. Rejects with UpstreamError. */
  readonly reply: Promise<UpstreamReply>;
  /** Whether the connection had served another call before. */
  readonly reused: boolean;
  /** Sends a head that was held back for the body's first bytes. To be called before waiting for them. */
  flush(): void;
  /** `false` when the upstream takes no more; a promise where it reads too slowly. */
  write(chunk: Buffer): boolean | Promise<boolean>;
  end(rest: Buffer, trailers: readonly Header[]): void;
  /** Cuts it, so that the upstream doesn't take half a request for a whole. When both are over it does nothing. */
  destroy(): void;
}

/** Why there is no reply, or no end of one. */
export class UpstreamError extends Error {
  readonly refused: RefusalCode;
  /** The connection had been used before and was closed before any byte of a reply. */
  readonly stale: boolean;

  constructor(refused: RefusalCode, options: { stale?: boolean; cause?: unknown } = {}) {
    super(`no reply: ${refused}`, { cause: options.cause });
    this.refused = refused;
    this.stale = options.stale ?? false;
  }
}
