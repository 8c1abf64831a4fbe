import { tailOfLines } from "./BrokenBase64Search.ts";
import type { EscapedHit } from "./EscapedSearch.ts";
import type { PatternSet } from "./PatternSet.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/** Looks for what is no fixed pattern. */
export interface BesideSearch {
  /** Bytes of the longest hit. */
  readonly longest: number;
  /** The first hit not before `from`. */
  find(bytes: Buffer, from: number): EscapedHit | undefined;
}

/**
 * Replaces patterns in a stream of bytes exactly as a left-to-right, longest-first replacement on
 * the whole would, however the bytes are cut into chunks.
 *
 * Held back is the end of what has come as far as it is of the patterns' alphabet, at most one byte less
 * than the longest of them, and whole lines of base64 before it (`tailOfLines`): an event, a line or a JSON text
 * that ends in something else leaves at once and whole. What is held back depends on the alphabet and the patterns' length alone, so nothing of
 * the patterns can be learned by watching in which pieces a stream arrives.
 */
export class StreamReplacer {
  readonly #set: PatternSet;
  readonly #beside: readonly BesideSearch[];
  readonly #most: number;
  #held: Buffer = NOTHING;
  #count = 0;

  /** @param beside looked for beside the set. */
  constructor(set: PatternSet, beside: readonly BesideSearch[] = []) {
    this.#set = set;
    this.#beside = beside;
    this.#most = Math.max(set.longest, ...beside.map(({ longest }) => longest)) - 1;
  }

  /** How often something was replaced until now. */
  get count(): number {
    return this.#count;
  }

  /** Takes the next bytes and gives what can leave; perhaps nothing. */
  push(chunk: Buffer): Buffer {
    if (this.#set.isEmpty) return chunk;
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    return this.#run(bytes, tailOfLines(bytes, this.#set.tailOf(bytes, this.#most), this.#most));
  }

  /** Gives what is left at the end of the stream. */
  end(): Buffer {
    return this.#held.length === 0 ? NOTHING : this.#run(this.#held, this.#held.length);
  }

  /** What begins before `tail` is decided; the rest is held. */
  #run(bytes: Buffer, tail: number): Buffer {
    const out: Buffer[] = [];
    let position = 0;
    let plain = this.#set.find(bytes, 0);
    let escaped = this.#findEscaped(bytes, 0);
    for (;;) {
      if (plain !== undefined && plain.at < position) plain = this.#set.find(bytes, position);
      if (escaped !== undefined && escaped.at < position)
        escaped = this.#findEscaped(bytes, position);
      const open = Math.max(tail, position);
      const at = Math.min(plain?.at ?? bytes.length, escaped?.at ?? bytes.length);
      if (at >= open) {
        const leaving = bytes.subarray(position, open);
        // A copy: a short tail must not keep a large chunk alive.
        this.#held = open === bytes.length ? NOTHING : Buffer.from(bytes.subarray(open));
        if (out.length === 0) return leaving;
        out.push(leaving);
        return Buffer.concat(out);
      }
      let length = 0;
      let replacement: Buffer = NOTHING;
      if (plain?.at === at) {
        ({ replacement } = plain);
        ({ length } = plain.pattern);
      }
      if (escaped?.at === at && escaped.length > length) ({ length, replacement } = escaped);
      out.push(bytes.subarray(position, at), replacement);
      this.#count += 1;
      position = at + length;
    }
  }

  /** The first that stands escaped; of several there the longest. */
  #findEscaped(bytes: Buffer, from: number): EscapedHit | undefined {
    let first: EscapedHit | undefined;
    for (const search of this.#beside) {
      const hit = search.find(bytes, from);
      if (hit === undefined) continue;
      if (
        first === undefined ||
        hit.at < first.at ||
        (hit.at === first.at && hit.length > first.length)
      )
        first = hit;
    }
    return first;
  }
}
