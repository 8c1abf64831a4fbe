import type { Replacement } from "./patterns.ts";

/** Where a pattern was found. */
export interface Hit extends Replacement {
  readonly at: number;
}

/** Longer stretches fill the table with ever more steps that are short. */
const LONGEST_STRETCH = 64;

/**
 * Patterns compiled to be searched for all at once (Wu and Manber, "A fast algorithm for multi-pattern
 * searching", 1994): the last three bytes of a stretch as long as the shortest pattern tell how far
 * the search may step, which mostly is all that length. Immutable; made once, used for many streams.
 */
export class PatternSet {
  /** The longest first. */
  readonly replacements: readonly Replacement[];
  readonly #longest: number;
  /** How much of each pattern's beginning the steps are about. */
  readonly #stretch: number;
  readonly #block: number;
  /** By the hash of a block. */
  readonly #steps = new Uint8Array(16384);
  /** By the hash of the block that ends its stretch; the longest first. */
  readonly #ending = new Map<number, Replacement[]>();
  readonly #first = new Uint8Array(256);
  readonly #firstTwo = new Uint8Array(16384);

  /** @param replacements none empty; of two for one pattern the first counts. */
  constructor(replacements: readonly Replacement[]) {
    this.replacements = replacements.toSorted((a, b) => b.pattern.length - a.pattern.length);
    this.#longest = this.replacements[0]?.pattern.length ?? 0;
    this.#stretch = Math.min(LONGEST_STRETCH, this.replacements.at(-1)?.pattern.length ?? 0);
    this.#block = Math.min(3, this.#stretch);
    this.#steps.fill(Math.max(1, this.#stretch - this.#block + 1));
    for (const each of this.replacements) this.#enter(each);
  }

  get isEmpty(): boolean {
    return this.#longest === 0;
  }

  #enter(each: Replacement): void {
    const { pattern } = each;
    this.#first[pattern[0] ?? 0] = 1;
    this.#firstTwo[hash(0, pattern[0], pattern[1])] = 1;
    for (let end = this.#block - 1; end < this.#stretch; end += 1) {
      const key = this.#key(pattern, end);
      this.#steps[key] = Math.min(this.#steps[key] ?? 0, this.#stretch - 1 - end);
    }
    const key = this.#key(pattern, this.#stretch - 1);
    const there = this.#ending.get(key);
    if (there === undefined) this.#ending.set(key, [each]);
    else there.push(each);
  }

  /** Of the block that ends at a place. */
  #key(bytes: Buffer, end: number): number {
    if (this.#block === 3) return hash(bytes[end - 2], bytes[end - 1], bytes[end]);
    return hash(0, this.#block === 1 ? 0 : bytes[end - 1], bytes[end]);
  }

  /** The leftmost place, not before `from`, where a pattern stands, and the longest of those there. */
  find(bytes: Buffer, from: number): Hit | undefined {
    if (this.isEmpty) return undefined;
    const steps = this.#steps;
    const { length } = bytes;
    let end = from + this.#stretch - 1;
    while (end < length) {
      const key = this.#key(bytes, end);
      const step = steps[key] ?? 1;
      if (step > 0) {
        end += step;
        continue;
      }
      const at = end - this.#stretch + 1;
      for (const each of this.#ending.get(key) ?? [])
        if (matches(bytes, at, each.pattern, each.pattern.length)) return { ...each, at };
      end += 1;
    }
    return undefined;
  }

  /** The first place, not before `from`, from which the rest is the beginning, but not the whole, of a pattern. */
  openFrom(bytes: Buffer, from: number): number {
    const { length } = bytes;
    for (let at = Math.max(from, length - this.#longest + 1); at < length; at += 1) {
      const rest = length - at;
      const first = bytes[at] ?? 0;
      if (rest === 1) {
        if (this.#first[first] === 0) continue;
      } else if (this.#firstTwo[hash(0, first, bytes[at + 1])] === 0) continue;
      for (const { pattern } of this.replacements) {
        if (pattern.length <= rest) break;
        if (matches(bytes, at, pattern, rest)) return at;
      }
    }
    return length;
  }
}

/** Fourteen bits. */
function hash(one: number | undefined, two: number | undefined, three: number | undefined): number {
  return (((one ?? 0) << 7) ^ ((two ?? 0) << 4) ^ (three ?? 0) ^ ((three ?? 0) << 8)) & 0x3fff;
}

function matches(bytes: Buffer, at: number, pattern: Buffer, length: number): boolean {
  if (at + length > bytes.length) return false;
  for (let index = 0; index < length; index += 1)
    if (bytes[at + index] !== pattern[index]) return false;
  return true;
}
