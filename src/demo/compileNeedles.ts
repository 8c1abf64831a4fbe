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
    return spell(name, value);
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

function spell(name: string, value: string): Needle[] {
  const plain = Buffer.from(value);
  const spellings: [string, Uint8Array][] = [
    ["plain", plain],
    ["reversed", Buffer.from(plain.toReversed())],
    ["UTF-16", Buffer.from(value, "utf16le")],
    ["UTF-16", Buffer.from(value, "utf16le").swap16()],
    ["hex", Buffer.from(plain.toString("hex"))],
    ["hex", Buffer.from(plain.toString("hex").toUpperCase())],
    ["percent-encoded", Buffer.from(encodeURIComponent(value))],
    ["percent-encoded", Buffer.from(plain.toString("hex").replaceAll(/../g, "%$&"))],
    ["percent-encoded", Buffer.from(plain.toString("hex").toUpperCase().replaceAll(/../g, "%$&"))],
    ["JSON", Buffer.from(JSON.stringify(value).slice(1, -1))],
    ...base64Spellings(plain),
  ];
  const known = new Map(
    spellings
      .toReversed()
      .map(([spelling, bytes]) => [
        Buffer.from(bytes).toString("latin1"),
        { name, spelling, bytes },
      ]),
  );
  return [...known.values()];
}

/** The middle of each of the three encodings, which doesn't depend on what stands before or behind. */
function base64Spellings(plain: Buffer): [string, Uint8Array][] {
  return [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), plain]);
    const first = Math.ceil((before * 8) / 6);
    const end = Math.floor((padded.length * 8) / 6);
    return (["base64", "base64url"] as const).map((alphabet): [string, Uint8Array] => [
      "base64",
      Buffer.from(padded.toString(alphabet).slice(first, end)),
    ]);
  });
}

function pairAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at - 1] ?? 0) << 8) | (bytes[at] ?? 0);
}

function beginsWith(bytes: Uint8Array, start: number, needle: Uint8Array): boolean {
  for (let at = 0; at < needle.length; at++) if (bytes[start + at] !== needle[at]) return false;
  return true;
}
