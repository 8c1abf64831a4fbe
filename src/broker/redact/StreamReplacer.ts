import type { EscapedSearch } from "./EscapedSearch.ts";
import type { PatternSet } from "./PatternSet.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Replaces patterns in a stream of bytes exactly as a left-to-right, longest-first replacement on
 * the whole would, however the bytes are cut into chunks.
 *
 * Bytes are held back only while they could be the beginning of a pattern, at most its length less
 * one: an event that ends in something else leaves at once and whole.
 */
export class StreamReplacer {
  readonly #set: PatternSet;
  readonly #escaped: EscapedSearch | undefined;
  #held: Buffer = NOTHING;
  #count = 0;

  constructor(set: PatternSet, escaped?: EscapedSearch) {
    this.#set = set;
    this.#escaped = escaped;
  }

  /** How often something was replaced until now. */
  get count(): number {
    return this.#count;
  }

  /** Takes the next bytes and gives what can leave; perhaps nothing. */
  push(chunk: Buffer): Buffer {
    if (this.#set.isEmpty) return chunk;
    return this.#run(this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]), false);
  }

  /** Gives what is left at the end of the stream. */
  end(): Buffer {
    return this.#held.length === 0 ? NOTHING : this.#run(this.#held, true);
  }

  #run(bytes: Buffer, final: boolean): Buffer {
    const out: Buffer[] = [];
    let position = 0;
    let plain = this.#set.find(bytes, 0);
    let escaped = this.#escaped?.find(bytes, 0, final);
    for (;;) {
      if (plain !== undefined && plain.at < position) plain = this.#set.find(bytes, position);
      if (
        escaped !== undefined &&
        Math.min(escaped.hit?.at ?? bytes.length, escaped.open) < position
      )
        escaped = this.#escaped?.find(bytes, position, final);
      const open = final
        ? bytes.length
        : Math.min(escaped?.open ?? bytes.length, this.#set.openFrom(bytes, position));
      const at = Math.min(plain?.at ?? bytes.length, escaped?.hit?.at ?? bytes.length);
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
      const hit = escaped?.hit;
      if (hit?.at === at && hit.length > length) ({ length, replacement } = hit);
      out.push(bytes.subarray(position, at), replacement);
      this.#count += 1;
      position = at + length;
    }
  }
}
