import { StreamReplacer } from "./StreamReplacer.ts";

/**
 * Watches a request's body for phantoms as it passes. It can only notice: what came before is
 * already on its way. So the last bytes that could be the beginning of a phantom stay here until
 * more is known, a found phantom never leaves whole, and the call is cut in the middle, which a
 * server sees as a request that was never finished. The phantom itself is worthless outside; the
 * point is that a bot that sends it where the service doesn't expect it is either confused or
 * trying something, and the owner should see that.
 */
export class BodyScanner {
  readonly #replacer: StreamReplacer;

  constructor(phantoms: readonly Buffer[]) {
    this.#replacer = new StreamReplacer(
      phantoms
        .map((pattern) => ({ pattern, replacement: Buffer.alloc(0) }))
        .toSorted((a, b) => b.pattern.length - a.pattern.length),
    );
  }

  /** The bytes that may leave, or `undefined` once a phantom was found. */
  push(chunk: Buffer): Buffer | undefined {
    const out = this.#replacer.push(chunk);
    return this.#replacer.count > 0 ? undefined : out;
  }

  end(): Buffer | undefined {
    const out = this.#replacer.end();
    return this.#replacer.count > 0 ? undefined : out;
  }
}
