import type { BridgeMessage } from "./BridgeLog.ts";
import type { BridgeRefusal } from "./Bridge.ts";

/** What a sender says. Who it is isn't among it. */
export interface BridgeLetter {
  readonly to: string;
  readonly text: string;
  /** The sender's own name for it; see `BridgeMessage`. */
  readonly key?: string;
}

export type BridgeSent =
  | { readonly id: string }
  /** `not-taken`: the recipient has no bridge, or takes nothing of this sender's. */
  | { readonly refused: BridgeRefusal | "not-taken" };

export interface BridgeReceived {
  readonly messages: readonly Pick<BridgeMessage, "id" | "from" | "at" | "text">[];
  /** Whether others wait beyond these. */
  readonly more: boolean;
}

/**
 * The bridge as one bot's calls meet it: in this process, or where each bot has a broker of its own,
 * behind a socket. Each resolves to `undefined` where nobody answers there.
 */
export interface BridgeEnd {
  send(from: string, letter: BridgeLetter): Promise<BridgeSent | undefined>;
  /** Waits for a message for so long, if none is there. */
  receive(
    bot: string,
    options: { readonly most: number; readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<BridgeReceived | undefined>;
  /** Lets go of messages; how many there were. */
  acknowledge(bot: string, ids: readonly string[]): Promise<number | undefined>;
  waiting(bot: string): Promise<number | undefined>;
  /** Which of these take messages of this bot's. */
  taking(from: string, bots: readonly string[]): Promise<readonly string[] | undefined>;
}

/** Bytes of one message, in UTF-8. */
export const MOST_TEXT_BYTES = 64 * 1024;
export const MOST_AT_ONCE = 50;
