import { spellValue } from "../needles/index.ts";
import { DemoError } from "./DemoError.ts";

/** A real value to look for. */
export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

/** One spelling of one value. */
export interface Needle {
  readonly name: string;
  readonly spelling: string;
  readonly bytes: Uint8Array;
}

/** All spellings of all values, ready for searching. */
export interface Needles {
  readonly longest: number;
  /** The needles that begin and end within the first `length` bytes, each at most once per place. */
  search(bytes: Uint8Array, length: number): Needle[];
}

const SHORTEST = 8;

/**
 * Prepares a search for each value plain, reversed, in UTF-16, hex, base64 (also its URL alphabet, at
 * all three alignments), percent-encoded and JSON-escaped.
 *
 * It looks at the last two bytes of a window as long as the shortest spelling and jumps by nearly
 * that length when they occur in none (Wu and Manber 1994). Against `Buffer.indexOf` once per
 * spelling this reads memory once instead of thirty times.
 *
 * @throws DemoError `bad-value` for a value under 8 bytes, which is found by chance
 */
export function compileNeedles(values: readonly NamedValue[]): Needles {
  const needles = values.flatMap(({ name, value }) => {
    if (Buffer.byteLength(value) < SHORTEST) {
      throw new DemoError("bad-value", `the value of "${name}" is too short to search for`);
    }
    return spellValue(value).map((spelt) => ({ name, ...spelt }));
  });
  const window = Math.min(255, ...needles.map((needle) => needle.bytes.length));
  const jumps = new Uint8Array(65536).fill(Math.max(1, window - 1));
  const candidates = new Map<number, Needle[]>();
  for (const needle of needles) {
    for (let at = 1; at < window; at++) {
      const pair = pairAt(needle.bytes, at);
      jumps[pair] = Math.min(jumps[pair] ?? 0, window - 1 - at);
    }
    const last = pairAt(needle.bytes, window - 1);
    candidates.set(last, [...(candidates.get(last) ?? []), needle]);
  }

  return {
    longest: Math.max(0, ...needles.map((needle) => needle.bytes.length)),
    search(bytes, length) {
      const hits: Needle[] = [];
      if (needles.length === 0) return hits;
      let at = window - 1;
      while (at < length) {
        const pair = ((bytes[at - 1] ?? 0) << 8) | (bytes[at] ?? 0);
        const jump = jumps[pair] ?? 0;
        if (jump > 0) {
          at += jump;
          continue;
        }
        const start = at - window + 1;
        for (const needle of candidates.get(pair) ?? []) {
          if (start + needle.bytes.length <= length && beginsWith(bytes, start, needle.bytes)) {
            hits.push(needle);
          }
        }
        at++;
      }
      return hits;
    },
  };
}

function pairAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at - 1] ?? 0) << 8) | (bytes[at] ?? 0);
}

function beginsWith(bytes: Uint8Array, start: number, needle: Uint8Array): boolean {
  for (let at = 0; at < needle.length; at++) if (bytes[start + at] !== needle[at]) return false;
  return true;
}
