import type { Redactor } from "../redact/Redactor.ts";
import { CLOSE, FrameError, type FrameEvent, type FrameWriter } from "./frames.ts";
import { checkControl, FloodCheck, type RelaySide } from "./RelaySide.ts";
import type { RelayLimits, WebSocketRelay } from "./relayWebSocket.ts";
import { Utf8Checker } from "./Utf8Checker.ts";

/** What the upstream sends, the secret in it replaced by the phantom, message by message. */
export class UpstreamSide implements RelaySide {
  readonly #relay: WebSocketRelay;
  readonly #out: FrameWriter;
  readonly #flood: FloodCheck;
  #stream: ReturnType<Redactor["stream"]>;
  #utf8 = new Utf8Checker();
  #passed = 0;

  constructor(relay: WebSocketRelay, out: FrameWriter, limits: RelayLimits) {
    this.#relay = relay;
    this.#out = out;
    this.#flood = new FloodCheck(limits.controlsPerSecond);
    this.#stream = relay.redactor.stream();
  }

  get bytes(): number {
    return this.#passed;
  }

  treat(event: FrameEvent): Buffer {
    this.#flood.check(event);
    if (event.kind === "control") {
      checkControl(event);
      // A code's two bytes are no part of the text.
      const skip = event.opcode === CLOSE ? 2 : 0;
      const text = this.#redact(event.payload.subarray(skip));
      return this.#out.control(
        event.opcode,
        Buffer.concat([event.payload.subarray(0, skip), text]),
      );
    }
    const { binary, payload, first, last } = event;
    if (first) {
      this.#stream = this.#relay.redactor.stream();
      this.#utf8 = new Utf8Checker();
    }
    if (!binary && !this.#utf8.accepts(payload, last))
      throw new FrameError(1007, "a text that isn't UTF-8");
    const clean = this.#stream.push(payload);
    const rest = last ? this.#stream.end() : NOTHING;
    const whole = rest.length === 0 ? clean : Buffer.concat([clean, rest]);
    this.#passed += whole.length;
    this.#relay.onBytes?.(whole.length);
    return this.#out.data(binary, whole, last);
  }

  #redact(bytes: Buffer): Buffer {
    const stream = this.#relay.redactor.stream();
    return Buffer.concat([stream.push(bytes), stream.end()]);
  }
}

const NOTHING: Buffer = Buffer.alloc(0);
