import { alphabetFor, findInStretches, type Alphabet } from "./credentialAlphabet.ts";
import type { Replacement } from "./patterns.ts";
import { RollingSearch, standsAt } from "../../needles/index.ts";

/** Where a pattern was found. */
export interface Hit extends Replacement {
  readonly at: number;
}

/** Patterns compiled to be searched for all at once. Immutable; made once, used for many streams. */
export class PatternSet {
  /** The longest first. */
  readonly replacements: readonly Replacement[];
  /** Bytes. */
  readonly longest: number;
  /** Of all that the patterns are made of. */
  readonly alphabet: Alphabet;
  readonly #shortest: number;
  readonly #search: RollingSearch<Replacement>;

  /** @param replacements none empty; of two for one pattern the first counts. */
  constructor(replacements: readonly Replacement[]) {
    this.replacements = replacements.toSorted((a, b) => b.pattern.length - a.pattern.length);
    this.longest = this.replacements[0]?.pattern.length ?? 0;
    this.#shortest = this.replacements.at(-1)?.pattern.length ?? 0;
    this.alphabet = alphabetFor(replacements.map(({ pattern }) => pattern));
    this.#search = new RollingSearch(
      this.replacements.map((each) => ({ bytes: each.pattern, word: each })),
    );
  }

  get isEmpty(): boolean {
    return this.longest === 0;
  }

  /** The leftmost place, not before `from`, where a pattern stands, and the longest of those there. */
  find(bytes: Buffer, from: number): Hit | undefined {
    if (this.isEmpty) return undefined;
    return findInStretches(bytes, from, this.#shortest, this.alphabet, (start, end) =>
      this.#search.find(bytes, start, end, (each, at) =>
        standsAt(bytes, at, each.pattern) ? { ...each, at } : undefined,
      ),
    );
  }

  /** The first place from which the rest is the beginning, but not the whole, of a pattern. */
  openFrom(bytes: Buffer): number {
    const { length } = bytes;
    for (let at = this.tailOf(bytes, this.longest - 1); at < length; at += 1)
      if (this.replacements.some(({ pattern }) => goesOn(bytes, at, pattern))) return at;
    return length;
  }

  /** Where the end that is of the alphabet begins, at most so many bytes of it. */
  tailOf(bytes: Buffer, most: number): number {
    const first = Math.max(0, bytes.length - most);
    let at = bytes.length;
    while (at > first && this.alphabet[bytes[at - 1] ?? 0] === 1) at -= 1;
    return at;
  }
}

/** Whether all from a place on is the beginning of a longer pattern. */
function goesOn(bytes: Buffer, at: number, pattern: Buffer): boolean {
  if (pattern.length <= bytes.length - at) return false;
  for (let index = at; index < bytes.length; index += 1)
    if (bytes[index] !== pattern[index - at]) return false;
  return true;
}
