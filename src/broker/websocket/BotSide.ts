import { putInMessage } from "../inject/putInMessage.ts";
import { isRefusal } from "../Refusal.ts";
import { BodyScanner } from "../redact/BodyScanner.ts";
import { Collector } from "./Collector.ts";
import { findInMessage } from "./findInMessage.ts";
import { FrameError, type FrameEvent, type FrameWriter } from "./frames.ts";
import { checkControl, FloodCheck, RelayError, type RelaySide } from "./RelaySide.ts";
import type { RelayLimits, WebSocketRelay } from "./relayWebSocket.ts";
import { Utf8Checker } from "./Utf8Checker.ts";

type DataEvent = Extract<FrameEvent, { kind: "data" }>;

/**
 * What the bot sends. Where the grant has places in frames, texts are collected and read, and so is a
 * binary message that begins as JSON does, since some servers don't mind which it is. All else is
 * searched for other bots' phantoms as it passes.
 */
export class BotSide implements RelaySide {
  readonly #relay: WebSocketRelay;
  readonly #out: FrameWriter;
  readonly #messageBytes: number;
  readonly #flood: FloodCheck;
  #scanner: BodyScanner;
  #utf8 = new Utf8Checker();
  /** Of the message under way: while it is collected, or may yet have to be. */
  #collector: Collector | undefined;
  /** Whether it isn't known yet if a binary message begins as JSON does. */
  #undecided = false;
  #passed = 0;

  constructor(relay: WebSocketRelay, out: FrameWriter, limits: RelayLimits) {
    this.#relay = relay;
    this.#out = out;
    this.#messageBytes = limits.messageBytes;
    this.#flood = new FloodCheck(limits.controlsPerSecond);
    this.#scanner = new BodyScanner(relay.foreignPhantoms);
  }

  get bytes(): number {
    return this.#passed;
  }

  treat(event: FrameEvent): Buffer {
    this.#flood.check(event);
    if (event.kind === "control") {
      checkControl(event);
      this.#refuseForeign(event.payload);
      return this.#out.control(event.opcode, event.payload);
    }
    if (event.first) {
      this.#utf8 = new Utf8Checker();
      this.#scanner = new BodyScanner(this.#relay.foreignPhantoms);
      this.#collector =
        this.#relay.places.length === 0 ? undefined : new Collector(this.#messageBytes);
      this.#undecided = event.binary;
    }
    return this.#collector === undefined ? this.#stream(event) : this.#collect(event);
  }

  #stream({ binary, payload, last }: DataEvent): Buffer {
    if (!binary && !this.#utf8.accepts(payload, last))
      throw new FrameError(1007, "a text that isn't UTF-8");
    const clean = this.#scanner.push(payload);
    const rest = last ? this.#scanner.end() : NOTHING;
    if (clean === undefined) throw new RelayError("foreign-phantom-in-body", 1008);
    return this.#pass(binary, rest.length === 0 ? clean : Buffer.concat([clean, rest]), last);
  }

  #collect(event: DataEvent): Buffer {
    const { binary, payload, last } = event;
    const collector = this.#collector;
    if (collector === undefined) return NOTHING;
    if (!collector.add(payload)) throw new RelayError("body-too-large", 1009);
    const bytes = collector.take();
    if (this.#undecided) {
      const begins = payload.find((byte) => !BLANKS.includes(byte));
      this.#undecided = begins === undefined;
      if (begins !== undefined && begins !== 0x7b && begins !== 0x5b) {
        this.#collector = undefined;
        return this.#stream({ ...event, payload: bytes });
      }
    }
    return last ? this.#pass(binary, this.#replace(bytes), true) : NOTHING;
  }

  #replace(bytes: Buffer): Buffer {
    const { places, phantom, secret } = this.#relay;
    this.#refuseForeign(bytes);
    const placed = findInMessage(places, bytes, phantom);
    if (isRefusal(placed))
      throw new RelayError(placed.refused, placed.refused === "body-unreadable" ? 1007 : 1008);
    return placed.length === 0 ? bytes : putInMessage(bytes, placed, secret);
  }

  #refuseForeign(bytes: Buffer): void {
    if (this.#relay.foreignPhantoms.find(bytes, 0) !== undefined)
      throw new RelayError("foreign-phantom-in-body", 1008);
  }

  #pass(binary: boolean, payload: Buffer, last: boolean): Buffer {
    this.#passed += payload.length;
    this.#relay.onBytes?.(payload.length);
    return this.#out.data(binary, payload, last);
  }
}

const NOTHING: Buffer = Buffer.alloc(0);

const BLANKS = [0x20, 0x0a, 0x0d, 0x09];
