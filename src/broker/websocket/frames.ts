import { randomFillSync } from "node:crypto";

/** What arrived of a connection (RFC 6455 section 5). Payloads are unmasked. */
export type FrameEvent =
  | { readonly kind: "control"; readonly opcode: ControlOpcode; readonly payload: Buffer }
  /** Some of a message: as much as has come, so that a huge frame is never collected. */
  | {
      readonly kind: "data";
      readonly binary: boolean;
      readonly payload: Buffer;
      /** The message begins with this. */
      readonly first: boolean;
      /** And ends with it. */
      readonly last: boolean;
    };

export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;
export type ControlOpcode = typeof CLOSE | typeof PING | typeof PONG;

const LONGEST_CONTROL = 125;
const NOTHING: Buffer = Buffer.alloc(0);

/** Something that the protocol forbids; `close` is the code to end with (section 7.4.1). */
export class FrameError extends Error {
  readonly close: number;

  constructor(close: number, message: string) {
    super(message);
    this.close = close;
  }
}

/**
 * Reads frames strictly: no extension is ever negotiated, so reserved bits and opcodes are errors; so
 * are frames that are masked when they must not be or the reverse, lengths in more bytes than they
 * take, control frames in pieces, and messages inside of messages.
 */
export class FrameReader {
  readonly #masked: boolean;
  /** The beginning of a frame's head, or of a control frame. */
  #pending = NOTHING;
  /** Of the data frame that is being read. */
  #remaining = 0;
  #mask: Buffer | undefined;
  #final = true;
  /** The message that goes on in the next frame, or in the rest of this one. */
  #message: { readonly binary: boolean; first: boolean } | undefined;

  /** @param masked whether the frames come from a client. */
  constructor(masked: boolean) {
    this.#masked = masked;
  }

  /** Whether some of a message has come, and not all. */
  get inMessage(): boolean {
    return this.#message !== undefined;
  }

  /** @throws FrameError 1002. */
  read(chunk: Buffer): FrameEvent[] {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const events: FrameEvent[] = [];
    let at = 0;
    for (;;) {
      if (this.#remaining > 0) {
        if (at === bytes.length) break;
        const end = Math.min(bytes.length, at + this.#remaining);
        events.push(this.#data(bytes.subarray(at, end)));
        at = end;
        continue;
      }
      const head = readHead(bytes, at, this.#masked);
      if (head === undefined) break;
      const start = at + head.size;
      if (isControl(head.opcode)) {
        if (!head.final || head.length > LONGEST_CONTROL)
          throw new FrameError(1002, "a control frame in pieces or too long");
        if (start + head.length > bytes.length) break;
        const payload = unmask(bytes.subarray(start, start + head.length), head.mask, 0);
        events.push({ kind: "control", opcode: head.opcode, payload });
        at = start + head.length;
        continue;
      }
      this.#begin(head);
      at = start;
      if (head.length === 0) events.push(this.#data(NOTHING));
    }
    // A copy: a few bytes must not keep a large chunk alive.
    this.#pending = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
    return events;
  }

  #begin(head: Head): void {
    const continues = head.opcode === 0;
    if (continues !== (this.#message !== undefined))
      throw new FrameError(1002, "a message within a message, or its continuation without one");
    this.#message ??= { binary: head.opcode === 2, first: true };
    this.#final = head.final;
    this.#mask = head.mask;
    this.#remaining = head.length;
  }

  #data(bytes: Buffer): FrameEvent {
    const message = this.#message ?? { binary: false, first: true };
    const payload = unmask(bytes, this.#mask, 0);
    this.#remaining -= bytes.length;
    // The mask goes on where this stretch of the frame ended.
    const turn = bytes.length % 4;
    if (this.#mask !== undefined && turn !== 0)
      this.#mask = Buffer.concat([this.#mask.subarray(turn), this.#mask.subarray(0, turn)]);
    const { binary, first } = message;
    const last = this.#final && this.#remaining === 0;
    message.first = false;
    if (last) this.#message = undefined;
    return { kind: "data", binary, payload, first, last };
  }
}

interface Head {
  readonly final: boolean;
  readonly opcode: number;
  readonly mask: Buffer | undefined;
  readonly length: number;
  /** Of the head itself. */
  readonly size: number;
}

/** `undefined` while it hasn't come in full; what is wrong is told as soon as it can be seen. */
function readHead(bytes: Buffer, at: number, masked: boolean): Head | undefined {
  const one = bytes[at];
  const two = bytes[at + 1];
  if (one === undefined || two === undefined) return undefined;
  if ((one & 0x70) !== 0) throw new FrameError(1002, "a reserved bit is set");
  const opcode = one & 0x0f;
  if (opcode > 2 && !isControl(opcode)) throw new FrameError(1002, "an unknown opcode");
  if (((two & 0x80) !== 0) !== masked) throw new FrameError(1002, "masked wrongly");
  let size = 2;
  let length = two & 0x7f;
  if (length === 126) {
    if (bytes.length < at + 4) return undefined;
    length = bytes.readUInt16BE(at + 2);
    size = 4;
    if (length < 126) throw new FrameError(1002, "a length in more bytes than it takes");
  } else if (length === 127) {
    if (bytes.length < at + 10) return undefined;
    const long = bytes.readBigUInt64BE(at + 2);
    size = 10;
    if (long < 0x10000n || long > BigInt(Number.MAX_SAFE_INTEGER))
      throw new FrameError(1002, "a length in more bytes than it takes, or beyond all bounds");
    length = Number(long);
  }
  const maskAt = at + size;
  if (masked) size += 4;
  if (bytes.length < at + size) return undefined;
  const mask = masked ? Buffer.from(bytes.subarray(maskAt, maskAt + 4)) : undefined;
  return { final: (one & 0x80) !== 0, opcode, mask, length, size };
}

function isControl(opcode: number): opcode is ControlOpcode {
  return opcode === CLOSE || opcode === PING || opcode === PONG;
}

/** A copy without its mask; the same bytes when there is none. */
function unmask(bytes: Buffer, mask: Buffer | undefined, from: number): Buffer {
  if (mask === undefined || bytes.length === 0) return bytes;
  const out = Buffer.allocUnsafe(bytes.length);
  for (let index = 0; index < bytes.length; index += 1)
    out[index] = (bytes[index] ?? 0) ^ (mask[(from + index) & 3] ?? 0);
  return out;
}

/** Makes frames as a client (masked, each by a mask of its own) or a server sends them. */
export class FrameWriter {
  readonly #masked: boolean;
  #open = false;

  constructor(masked: boolean) {
    this.#masked = masked;
  }

  /** Some of a message; nothing at all for no bytes in its middle. */
  data(binary: boolean, payload: Buffer, last: boolean): Buffer {
    if (payload.length === 0 && !last) return NOTHING;
    const opcode = this.#open ? 0 : binary ? 2 : 1;
    this.#open = !last;
    return this.#frame(opcode, payload, last);
  }

  control(opcode: ControlOpcode, payload: Buffer): Buffer {
    return this.#frame(opcode, payload.subarray(0, LONGEST_CONTROL), true);
  }

  close(code: number, reason: string): Buffer {
    const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
    return this.control(CLOSE, payload);
  }

  #frame(opcode: number, payload: Buffer, final: boolean): Buffer {
    const { length } = payload;
    const extended = length < 126 ? 0 : length < 0x10000 ? 2 : 8;
    const start = 2 + extended + (this.#masked ? 4 : 0);
    const out = Buffer.allocUnsafe(start + length);
    out[0] = (final ? 0x80 : 0) | opcode;
    out[1] = (this.#masked ? 0x80 : 0) | (extended === 0 ? length : extended === 2 ? 126 : 127);
    if (extended === 2) out.writeUInt16BE(length, 2);
    if (extended === 8) out.writeBigUInt64BE(BigInt(length), 2);
    if (!this.#masked) {
      payload.copy(out, start);
      return out;
    }
    const mask = out.subarray(start - 4, start);
    randomFillSync(mask);
    for (let index = 0; index < length; index += 1)
      out[start + index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0);
    return out;
  }
}
