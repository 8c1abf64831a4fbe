import type { Replacement } from "./patterns.ts";

/**
 * Replaces patterns in a stream of bytes exactly as a left-to-right, longest-first replacement on
 * the whole would, however the bytes are cut into chunks.
 *
 * Bytes are held back only while they could be the beginning of a pattern, at most its length less
 * one: an event that ends in something else leaves at once and whole.
 */
export class StreamReplacer {
  readonly #replacements: readonly Replacement[];
  readonly #longest: number;
  #held: Buffer = Buffer.alloc(0);
  #count = 0;

  /** @param replacements none empty, the longest first. */
  constructor(replacements: readonly Replacement[]) {
    this.#replacements = replacements;
    this.#longest = replacements[0]?.pattern.length ?? 0;
  }

  /** How often something was replaced until now. */
  get count(): number {
    return this.#count;
  }

  /** Takes the next bytes and gives what can leave; perhaps nothing. */
  push(chunk: Buffer): Buffer {
    return this.#run(this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]), false);
  }

  /** Gives what is left at the end of the stream. */
  end(): Buffer {
    return this.#run(this.#held, true);
  }

  #run(bytes: Buffer, final: boolean): Buffer {
    const out: Buffer[] = [];
    // Where each pattern is next found, so that each is searched once over the bytes.
    const next = this.#replacements.map(() => -2);
    let position = 0;
    for (;;) {
      let at = bytes.length;
      let hit: Replacement | undefined;
      for (const [index, each] of this.#replacements.entries()) {
        let found = next[index] ?? -1;
        if (found !== -1 && found < position) {
          found = bytes.indexOf(each.pattern, position);
          next[index] = found;
        }
        // The longest comes first in the list, so at one place the first found wins.
        if (found !== -1 && found < at) {
          at = found;
          hit = each;
        }
      }
      const open = final ? bytes.length : this.#openFrom(bytes, position);
      if (hit === undefined || at >= open) {
        out.push(bytes.subarray(position, open));
        // A copy: a short tail must not keep a large chunk alive.
        this.#held = open === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(open));
        break;
      }
      out.push(bytes.subarray(position, at), hit.replacement);
      this.#count += 1;
      position = at + hit.pattern.length;
    }
    const [only] = out;
    return out.length === 1 && only !== undefined ? only : Buffer.concat(out);
  }

  /** The first place from which the rest is the beginning, but not the whole, of a pattern. */
  #openFrom(bytes: Buffer, position: number): number {
    for (
      let start = Math.max(position, bytes.length - this.#longest + 1);
      start < bytes.length;
      start += 1
    ) {
      const rest = bytes.length - start;
      for (const { pattern } of this.#replacements) {
        if (pattern.length <= rest) break;
        if (pattern[0] === bytes[start] && bytes.compare(pattern, 0, rest, start) === 0)
          return start;
      }
    }
    return bytes.length;
  }
}
