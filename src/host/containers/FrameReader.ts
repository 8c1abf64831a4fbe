const HEAD = 5;

/** Puts frames together from a stream's parts. What claims to be longer than it may is not waited for. */
export class FrameReader {
  readonly #longest: (kind: number) => number;
  #parts: Buffer[] = [];
  #size = 0;

  /** @param longest bytes that a frame of this kind may have; below 0 there is no such kind. */
  constructor(longest: (kind: number) => number) {
    this.#longest = longest;
  }

  /** @throws Error at a frame that is too long or of no known kind; nothing more may be read then. */
  take(part: Buffer): { readonly kind: number; readonly data: Buffer }[] {
    this.#parts.push(part);
    this.#size += part.length;
    const frames: { kind: number; data: Buffer }[] = [];
    for (;;) {
      if (this.#size < HEAD) return frames;
      const head = this.#together();
      const kind = head.readUInt8(0);
      const length = head.readUInt32BE(1);
      if (length > this.#longest(kind)) throw new Error("a frame that isn't taken");
      if (this.#size < HEAD + length) return frames;
      frames.push({ kind, data: head.subarray(HEAD, HEAD + length) });
      this.#parts = [head.subarray(HEAD + length)];
      this.#size -= HEAD + length;
    }
  }

  #together(): Buffer {
    const [only] = this.#parts;
    if (this.#parts.length === 1 && only !== undefined) return only;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [whole];
    return whole;
  }
}

export function frame(kind: number, data: Uint8Array | string = ""): Buffer {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  const whole = Buffer.allocUnsafe(HEAD + bytes.length);
  whole.writeUInt8(kind, 0);
  whole.writeUInt32BE(bytes.length, 1);
  whole.set(bytes, HEAD);
  return whole;
}
