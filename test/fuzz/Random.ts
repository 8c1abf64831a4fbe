import { createHash } from "node:crypto";

/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** One that depends on these bytes alone. */
  static of(bytes: Buffer): Random {
    return new Random(createHash("sha256").update(bytes).digest().readUInt32LE(0));
  }

  /** A whole number below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let value = this.#state;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) % end;
  }

  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)];
    if (picked === undefined) throw new RangeError("nothing to pick from");
    return picked;
  }

  /** Whether one of so many cases is this. */
  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  /** Bytes in pieces, mostly few, sometimes one byte each. */
  pieces(bytes: Buffer): Buffer[] {
    if (this.oneIn(8))
      return Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1));
    const cuts = Array.from({ length: this.below(5) }, () => this.below(bytes.length + 1)).toSorted(
      (a, b) => a - b,
    );
    return [0, ...cuts].map((start, index) => bytes.subarray(start, cuts[index] ?? bytes.length));
  }
}
