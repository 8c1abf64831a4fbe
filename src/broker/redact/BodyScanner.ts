import { PatternSet } from "./PatternSet.ts";

/**
 * Watches a request's body for other bots' phantoms as it passes: a bot that has one got it through
 * a wall, and the owner should see that. It can only notice: what came before is already on its
 * way. So the last bytes that could be the beginning of a phantom stay here until more is known, a
 * found phantom never leaves whole, and the call is cut in the middle, which a server sees as a
 * request that was never finished.
 *
 * The bot's own phantoms pass. They are worthless in a body, as the broker replaces them nowhere but
 * in the places a grant names; and an agent that once ran `env` carries them in its conversation, so
 * that every later call to its model would be cut.
 */
export class BodyScanner {
  readonly #phantoms: PatternSet;
  #held: Buffer = NOTHING;

  constructor(phantoms: PatternSet) {
    this.#phantoms = phantoms;
  }

  /** The bytes that may leave, or `undefined` once a phantom was found. */
  push(chunk: Buffer): Buffer | undefined {
    if (this.#phantoms.isEmpty) return chunk;
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    if (this.#phantoms.find(bytes, 0) !== undefined) return undefined;
    const open = this.#phantoms.openFrom(bytes);
    this.#held = open === bytes.length ? NOTHING : Buffer.from(bytes.subarray(open));
    return bytes.subarray(0, open);
  }

  /** What was held back: less than a phantom. */
  end(): Buffer {
    return this.#held;
  }
}

const NOTHING: Buffer = Buffer.alloc(0);

/** Phantoms to be noticed, compiled once per bot. */
export function compilePhantoms(phantoms: readonly string[]): PatternSet {
  return new PatternSet(
    phantoms.map((phantom) => ({
      pattern: Buffer.from(phantom, "latin1"),
      replacement: Buffer.alloc(0),
    })),
  );
}
