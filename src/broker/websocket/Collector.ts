/** Collects a message that comes in pieces, however many, in one piece of memory. */
export class Collector {
  readonly #most: number;
  #bytes = Buffer.allocUnsafe(1024);
  #length = 0;

  /** @param most bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** `false` when it would be too much. */
  add(piece: Buffer): boolean {
    const length = this.#length + piece.length;
    if (length > this.#most) return false;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    piece.copy(this.#bytes, this.#length);
    this.#length = length;
    return true;
  }

  take(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}
