import { randomInt } from "node:crypto";

/** More of a word than this tells nothing more apart. */
const LONGEST_STRETCH = 64;

/** A word to look for. */
export interface SearchedWord<Word> {
  readonly bytes: Uint8Array;
  readonly word: Word;
}

/** What a search needs to know of its words: how they begin, as 32 bits each. */
export interface HashedWords<Word> {
  /** How many bytes a hash is of. */
  readonly stretch: number;
  readonly base: number;
  readonly hashes: readonly { readonly hash: number; readonly word: Word }[];
}

/** Hashes the beginnings of words to a fresh base. */
export function hashWords<Word>(words: readonly SearchedWord<Word>[]): HashedWords<Word> {
  const shortest = Math.min(...words.map(({ bytes }) => bytes.length));
  const stretch = words.length === 0 ? 0 : Math.min(LONGEST_STRETCH, shortest);
  const base = (randomInt(2 ** 31) * 2 + 1) | 0;
  const hashOf = (bytes: Uint8Array): number => {
    let hash = 0;
    for (let at = 0; at < stretch; at += 1) hash = (Math.imul(hash, base) + (bytes[at] ?? 0)) | 0;
    return hash;
  };
  return { stretch, base, hashes: words.map(({ bytes, word }) => ({ hash: hashOf(bytes), word })) };
}

/**
 * Finds where one of some words may begin, by a rolling hash (Rabin and Karp) of their first bytes, as
 * many as the shortest has, to a base that nobody knows.
 *
 * Each byte takes the same few steps whatever the words are, and a word shows only to somebody who has
 * the whole of that beginning. A search that skips, or compares letter by letter, is faster and tells by its
 * duration which letters the words have: a bot that may choose some of a reply could measure a secret out.
 */
export class RollingSearch<Word> {
  readonly #stretch: number;
  readonly #base: number;
  /** By byte: what it counts when it leaves the stretch. */
  readonly #leaving = new Int32Array(256);
  readonly #words = new Map<number, Word[]>();
  /** Whether a hash with these twelve upper bits is among them. */
  readonly #maybe = new Uint8Array(4096);

  /**
   * @param words none empty, in the order in which they are to be tried; or what `hashWords` made of
   *   them where the words themselves must not be.
   */
  constructor(words: readonly SearchedWord<Word>[] | HashedWords<Word>) {
    const { stretch, base, hashes } = "hashes" in words ? words : hashWords(words);
    this.#stretch = stretch;
    this.#base = base;
    if (hashes.length === 0) return;
    let power = 1;
    for (let turn = 0; turn < stretch; turn += 1) power = Math.imul(power, base);
    for (let byte = 0; byte < 256; byte += 1) this.#leaving[byte] = Math.imul(byte, power);
    for (const { hash, word } of hashes) {
      this.#maybe[hash >>> 20] = 1;
      const there = this.#words.get(hash);
      if (there === undefined) this.#words.set(hash, [word]);
      else there.push(word);
    }
  }

  /** What `accept` gives for the first place, not before `from`, and the first word that begins like it. */
  find<Result>(
    bytes: Uint8Array,
    from: number,
    to: number,
    accept: (word: Word, at: number) => Result | undefined,
  ): Result | undefined {
    const stretch = this.#stretch;
    if (this.#words.size === 0 || to - from < stretch) return undefined;
    const base = this.#base;
    const leaving = this.#leaving;
    const maybe = this.#maybe;
    let hash = 0;
    let at = from;
    for (; at < from + stretch - 1; at += 1) hash = (Math.imul(hash, base) + (bytes[at] ?? 0)) | 0;
    let left = 0;
    for (; at < to; at += 1) {
      hash = (Math.imul(hash, base) + (bytes[at] ?? 0) - left) | 0;
      const start = at - stretch + 1;
      left = leaving[bytes[start] ?? 0] ?? 0;
      if (maybe[hash >>> 20] === 0) continue;
      for (const word of this.#words.get(hash) ?? []) {
        const result = accept(word, start);
        if (result !== undefined) return result;
      }
    }
    return undefined;
  }
}

/** Whether `word` stands at a place, compared to its end wherever the first difference is. */
export function standsAt(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  if (at + word.length > bytes.length) return false;
  let difference = 0;
  for (let index = 0; index < word.length; index += 1)
    difference |= (bytes[at + index] ?? 0) ^ (word[index] ?? 0);
  return difference === 0;
}
