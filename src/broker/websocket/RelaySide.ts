import { isUtf8 } from "node:buffer";
import type { RefusalCode } from "../Refusal.ts";
import { CLOSE, FrameError, type FrameEvent } from "./frames.ts";

/** What one connection sends, on its way to the other. */
export interface RelaySide {
  /** Payload bytes that were passed on. */
  readonly bytes: number;
  /**
   * The frames that pass on what arrived; perhaps nothing yet.
   *
   * @throws FrameError or RelayError when all is to end.
   */
  treat(event: FrameEvent): Buffer;
}

/** A message that is not passed on; `close` is the code to end with (RFC 6455 section 7.4.1). */
export class RelayError extends Error {
  readonly code: RefusalCode;
  readonly close: number;

  constructor(code: RefusalCode, close: number) {
    super(`not passed on: ${code}`);
    this.code = code;
    this.close = close;
  }
}

/** Bounds what is cheap to send and dear to treat. */
export class FloodCheck {
  readonly #perSecond: number;
  #left: number;
  #since = performance.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** @throws FrameError 1008 when there were too many control frames or empty pieces lately. */
  check(event: FrameEvent): void {
    if (event.kind === "data" && (event.payload.length > 0 || event.last)) return;
    if (this.#left === 0) {
      const now = performance.now();
      const fresh = Math.floor(((now - this.#since) * this.#perSecond) / 1000);
      if (fresh === 0) throw new FrameError(1008, "too many control frames");
      this.#left = Math.min(this.#perSecond, fresh);
      this.#since = now;
    }
    this.#left -= 1;
  }
}

/** @throws FrameError when a Close frame's payload is not a code that may be sent and a reason in UTF-8 (section 5.5.1). */
export function checkControl(event: Extract<FrameEvent, { kind: "control" }>): void {
  const { opcode, payload } = event;
  if (opcode !== CLOSE || payload.length === 0) return;
  const code = payload.length === 1 ? 0 : payload.readUInt16BE(0);
  const known =
    (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) ||
    (code >= 3000 && code <= 4999);
  if (!known) throw new FrameError(1002, "no such code to close with");
  if (!isUtf8(payload.subarray(2))) throw new FrameError(1007, "a reason that isn't UTF-8");
}
