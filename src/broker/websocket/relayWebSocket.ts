import type { Duplex } from "node:stream";
import type { SecretValue } from "../../secrets/index.ts";
import { writeAll } from "../http/writeAll.ts";
import type { PatternSet } from "../redact/PatternSet.ts";
import type { Redactor } from "../redact/Redactor.ts";
import type { RefusalCode } from "../Refusal.ts";
import { BotSide } from "./BotSide.ts";
import type { WebSocketPlace } from "./findInMessage.ts";
import { CLOSE, FrameError, FrameReader, FrameWriter } from "./frames.ts";
import { RelayError, type RelaySide } from "./RelaySide.ts";
import { UpstreamSide } from "./UpstreamSide.ts";

/** Two connections on which both handshakes are over, and what passes between them. */
export interface WebSocketRelay {
  readonly bot: Duplex;
  readonly upstream: Duplex;
  /** Where the bot's messages carry the credential; perhaps nowhere. */
  readonly places: readonly WebSocketPlace[];
  readonly phantom: string;
  readonly secret: SecretValue;
  readonly redactor: Redactor;
  /** To be found in what the bot sends. */
  readonly foreignPhantoms: PatternSet;
  /** Called with the payload bytes that pass, either way. */
  readonly onBytes?: (bytes: number) => void;
  /** Ends it from outside; the reason is the RefusalCode to be recorded. */
  readonly cut?: AbortSignal;
  readonly limits?: Partial<RelayLimits>;
}

export interface RelayLimits {
  /** Longest message that may carry the credential, in bytes. */
  readonly messageBytes: number;
  /** Control frames, and empty pieces of messages, per second and side. */
  readonly controlsPerSecond: number;
  /** From the first Close, or the end of one side, to the end of both, in milliseconds. */
  readonly closeMs: number;
}

/** What is recorded. Bytes are those of payloads. */
export interface RelayEnd {
  readonly outcome: "done" | "refused" | "client-abort" | "upstream-error";
  readonly code?: RefusalCode;
  readonly bytesOut: number;
  readonly bytesIn: number;
}

const LIMITS: RelayLimits = { messageBytes: 1024 * 1024, controlsPerSecond: 100, closeMs: 5000 };

/**
 * Relays frames both ways until both connections have ended: the phantom in the bot's messages
 * becomes the secret in the named places, the secret in the upstream's becomes the phantom. Frames are
 * made anew, so messages keep their content and order but not how they were cut. Never rejects.
 *
 * Refused, and closed by 1008 or the code that fits: what RFC 6455 forbids, another credential in a
 * named place, another bot's phantom anywhere.
 */
export function relayWebSocket(relay: WebSocketRelay): Promise<RelayEnd> {
  return new Relay(relay).run();
}

type Ending = Pick<RelayEnd, "outcome" | "code">;

/** One end of the relay: what is read from a connection, and how frames for it are made. */
interface End {
  readonly stream: Duplex;
  readonly reader: FrameReader;
  readonly writer: FrameWriter;
  /** Treats what comes from here. */
  readonly side: RelaySide;
  /** Whether its Close has come, and whether one was sent to it. */
  closed: boolean;
  told: boolean;
}

class Relay {
  readonly #relay: WebSocketRelay;
  readonly #limits: RelayLimits;
  readonly #bot: End;
  readonly #upstream: End;
  #ending: Ending | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(relay: WebSocketRelay) {
    this.#relay = relay;
    this.#limits = { ...LIMITS, ...relay.limits };
    const toBot = new FrameWriter(false);
    const toUpstream = new FrameWriter(true);
    const end = (stream: Duplex, writer: FrameWriter, masked: boolean, side: RelaySide): End => ({
      stream,
      reader: new FrameReader(masked),
      writer,
      side,
      closed: false,
      told: false,
    });
    this.#bot = end(relay.bot, toBot, true, new BotSide(relay, toUpstream, this.#limits));
    this.#upstream = end(
      relay.upstream,
      toUpstream,
      false,
      new UpstreamSide(relay, toBot, this.#limits),
    );
  }

  async run(): Promise<RelayEnd> {
    const { bot, upstream, cut } = this.#relay;
    const onCut = (): void => {
      this.#fail({ outcome: "refused", code: cut?.reason as RefusalCode }, 1008);
    };
    const over = Promise.all([closed(bot), closed(upstream)]);
    if (cut?.aborted === true) onCut();
    cut?.addEventListener("abort", onCut);
    await Promise.all([
      this.#pump(this.#bot, this.#upstream),
      this.#pump(this.#upstream, this.#bot),
    ]);
    await over;
    cut?.removeEventListener("abort", onCut);
    clearTimeout(this.#timer);
    return {
      ...(this.#ending ?? { outcome: "done" }),
      bytesOut: this.#bot.side.bytes,
      bytesIn: this.#upstream.side.bytes,
    };
  }

  /** Reads one connection to its end. */
  async #pump(from: End, to: End): Promise<void> {
    const chunks = from.stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    try {
      for await (const chunk of chunks) {
        // After a Close, or once it was decided to end, nothing counts any more.
        if (from.closed || this.#ending !== undefined) continue;
        const out = this.#treat(from, to, chunk);
        if (out.length > 0 && !(await writeAll(to.stream, out))) {
          // The other connection has gone: its own end says how.
          from.stream.resume();
          return;
        }
        if (from.closed && to.closed) this.#endBoth();
      }
    } catch {
      // A reset is an end.
    }
    if (!from.closed && !to.closed)
      this.#settle(
        from === this.#bot
          ? { outcome: "client-abort" }
          : { outcome: "upstream-error", code: "upstream-protocol" },
      );
    this.#endBoth();
  }

  /** Frames for the other connection. */
  #treat(from: End, to: End, chunk: Buffer): Buffer {
    const out: Buffer[] = [];
    try {
      for (const event of from.reader.read(chunk)) {
        out.push(from.side.treat(event));
        if (event.kind === "data" || event.opcode !== CLOSE) continue;
        from.closed = true;
        to.told = true;
        this.#startTimer();
        break;
      }
      return Buffer.concat(out);
    } catch (error) {
      if (!(error instanceof FrameError) && !(error instanceof RelayError))
        this.#fail({ outcome: "refused", code: "internal" }, 1011);
      else if (from === this.#upstream)
        this.#fail({ outcome: "upstream-error", code: "upstream-protocol" }, error.close);
      else {
        const code = error instanceof RelayError ? error.code : "websocket-invalid";
        this.#fail({ outcome: "refused", code }, error.close);
      }
      return NOTHING;
    }
  }

  /** Ends both sides, telling each: the bot why, the upstream that it is left, or what it did wrong. */
  #fail(ending: Ending, close: number): void {
    this.#settle(ending);
    const ours = ending.outcome === "refused";
    this.#tell(this.#bot, ours ? close : 1014, ending.code ?? "");
    this.#tell(this.#upstream, ours ? 1001 : close, "");
    this.#endBoth();
  }

  #tell(end: End, code: number, reason: string): void {
    if (end.told || end.stream.writableEnded || end.stream.destroyed) return;
    end.told = true;
    end.stream.write(end.writer.close(code, reason));
  }

  /** The first ending counts. */
  #settle(ending: Ending): void {
    this.#ending ??= ending;
  }

  #endBoth(): void {
    this.#startTimer();
    for (const { stream } of [this.#bot, this.#upstream]) if (!stream.writableEnded) stream.end();
  }

  #startTimer(): void {
    this.#timer ??= setTimeout(() => {
      this.#relay.bot.destroy();
      this.#relay.upstream.destroy();
    }, this.#limits.closeMs);
  }
}

const NOTHING: Buffer = Buffer.alloc(0);

function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    stream.on("error", () => undefined);
    if (stream.closed) resolve();
    else stream.once("close", resolve);
  });
}
