import { createHmac, randomBytes } from "node:crypto";
import { hashWords, RollingSearch, type HashedWords } from "./RollingSearch.ts";
import { spellValue } from "./spellValue.ts";

/** One spelling of one value, by which it is recognised and from which it can't be told. */
export interface Fingerprint {
  readonly name: string;
  /** Real, or a worthless one that is where it belongs. */
  readonly kind: "secret" | "phantom";
  readonly spelling: string;
  /** Bytes. */
  readonly length: number;
  /** Of all its bytes, hexadecimal. */
  readonly mac: string;
}

/**
 * What a search for values needs where the values must not be: 32 bits of how each spelling begins,
 * and a keyed hash of the whole. Whoever has it can recognise a value, and can try guesses; a value
 * of 96 random bits is out of reach of that. Plain JSON.
 */
export interface Fingerprints {
  readonly key: string;
  readonly longest: number;
  readonly words: HashedWords<Fingerprint>;
}

/** A spelling that was found, as [start, end). */
export interface FingerprintHit {
  readonly start: number;
  readonly end: number;
  readonly fingerprint: Fingerprint;
}

/** Below this a value is found by chance. */
export const SHORTEST_NEEDLE = 8;

/** @param values each of at least `SHORTEST_NEEDLE` bytes. */
export function makeFingerprints(
  values: readonly { readonly name: string; readonly kind: Fingerprint["kind"]; value: string }[],
): Fingerprints {
  const key = randomBytes(32);
  const words = values.flatMap(({ name, kind, value }) =>
    spellValue(value).map(({ spelling, bytes }) => ({
      bytes,
      word: { name, kind, spelling, length: bytes.length, mac: macOf(key, bytes) },
    })),
  );
  return {
    key: key.toString("hex"),
    longest: Math.max(0, ...words.map(({ bytes }) => bytes.length)),
    words: hashWords(words),
  };
}

/** Finds what fingerprints were made of. */
export class FingerprintSearch {
  readonly longest: number;
  readonly #key: Buffer;
  readonly #search: RollingSearch<Fingerprint>;

  constructor({ key, longest, words }: Fingerprints) {
    this.longest = longest;
    this.#key = Buffer.from(key, "hex");
    this.#search = new RollingSearch(words);
  }

  /** Every spelling that stands whole within `bytes`, by where it begins. */
  find(bytes: Uint8Array): FingerprintHit[] {
    const hits: FingerprintHit[] = [];
    this.#search.find(bytes, 0, bytes.length, (fingerprint, start) => {
      const end = start + fingerprint.length;
      const whole = end <= bytes.length;
      if (whole && macOf(this.#key, bytes.subarray(start, end)) === fingerprint.mac)
        hits.push({ start, end, fingerprint });
      // Never satisfied: the search goes on to the end.
      return undefined;
    });
    return hits;
  }
}

function macOf(key: Uint8Array, bytes: Uint8Array): string {
  return createHmac("sha256", key).update(bytes).digest("hex").slice(0, 32);
}
