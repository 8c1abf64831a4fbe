import { RollingSearch, standsAt } from "../../needles/index.ts";
import type { EscapedHit } from "./EscapedSearch.ts";
import { base64Core, toUrlAlphabet } from "./patterns.ts";

/** One encoding of the secret, and the same of the phantom. */
interface Core {
  readonly bytes: Buffer;
  readonly replacement: Buffer;
}

const LF = 0x0a;
const CR = 0x0d;
const BACKSLASH = 0x5c;
const SMALL_N = 0x6e;
const SMALL_R = 0x72;
/** Columns of whole lines: MIME and base64(1) have 76, PEM 64. */
const COLUMNS: readonly number[] = [76, 64];
const WIDEST = 76;
const LONGEST_BREAK = 4;

/**
 * Finds a secret's base64 that is broken into lines, by line ends or by how JSON writes those. What isn't
 * broken is a pattern of the `PatternSet` and not found here.
 */
export class BrokenBase64Search {
  /** The longest that a hit can be, lines being whole ones. */
  readonly longest: number;
  readonly #shortest: number;
  readonly #search: RollingSearch<Core>;
  /** A stretch without its breaks, and where each character stands; reused. */
  #codes = new Uint8Array(1024);
  #places = new Uint32Array(1025);

  constructor(secret: string, phantom: string) {
    const cores = ([0, 1, 2] as const).flatMap((skip) => {
      const [core, replacement] = [base64Core(secret, skip), base64Core(phantom, skip)];
      return [
        { core, replacement },
        { core: toUrlAlphabet(core), replacement: toUrlAlphabet(replacement) },
      ];
    });
    const words = [...new Map(cores.map((each) => [each.core, each])).values()].map(
      ({ core, replacement }) => {
        const bytes = Buffer.from(core);
        return { bytes, word: { bytes, replacement: Buffer.from(replacement) } };
      },
    );
    const lengths = words.map(({ bytes }) => bytes.length);
    this.#shortest = Math.min(...lengths);
    const most = Math.max(...lengths);
    this.longest = most + Math.ceil(most / 64 + 1) * LONGEST_BREAK;
    this.#search = new RollingSearch(words);
  }

  /** The first hit not before `from`. */
  find(bytes: Buffer, from: number): EscapedHit | undefined {
    const breaks = new Breaks(bytes, from);
    for (let at = breaks.next(from); at < bytes.length;) {
      let start = at;
      while (start > from && isBase64(bytes[start - 1])) start -= 1;
      const count = this.#read(bytes, start);
      const end = this.#places[count] ?? bytes.length;
      const hit = count < this.#shortest ? undefined : this.#findWithin(bytes, count);
      if (hit !== undefined) return hit;
      at = breaks.next(Math.max(end, at + 1));
    }
    return undefined;
  }

  #findWithin(bytes: Buffer, count: number): EscapedHit | undefined {
    return this.#search.find(this.#codes, 0, count, (core, index) => {
      const { length } = core.bytes;
      if (index + length > count || !standsAt(this.#codes, index, core.bytes)) return undefined;
      const at = this.#places[index] ?? 0;
      const size = (this.#places[index + length - 1] ?? 0) + 1 - at;
      if (size === length) return undefined;
      return { at, length: size, replacement: this.#spell(bytes, index, core) };
    });
  }

  /** Reads lines of base64 from a place on; gives how many characters they have. */
  #read(bytes: Buffer, start: number): number {
    const most = bytes.length - start;
    if (this.#codes.length < most) {
      this.#codes = new Uint8Array(most);
      this.#places = new Uint32Array(most + 1);
    }
    let count = 0;
    let at = start;
    while (at < bytes.length) {
      // First, since what JSON writes for a line end has letters in it.
      const skipped = breakAt(bytes, at);
      if (skipped > 0) {
        at += skipped;
        continue;
      }
      const byte = bytes[at] ?? 0;
      if (!isBase64(byte)) break;
      this.#places[count] = at;
      this.#codes[count] = byte;
      count += 1;
      at += 1;
    }
    this.#places[count] = at;
    return count;
  }

  /** The phantom's encoding with the breaks where they were, as far as it goes. */
  #spell(bytes: Buffer, index: number, { bytes: core, replacement }: Core): Buffer {
    if (replacement.length !== core.length) return replacement;
    const parts: Buffer[] = [];
    for (let offset = 0; offset < replacement.length; offset += 1) {
      const place = this.#places[index + offset] ?? 0;
      const before = offset === 0 ? place : (this.#places[index + offset - 1] ?? 0) + 1;
      if (place > before) parts.push(bytes.subarray(before, place));
      parts.push(replacement.subarray(offset, offset + 1));
    }
    return Buffer.concat(parts);
  }
}

/**
 * Where what may go on in the next line begins: a line of base64 that is as wide as whole lines are waits for
 * what follows it. That is told by its shape alone, never by what it says, and no event, line of text or JSON
 * has it.
 *
 * @param tail where what waits anyway begins.
 * @param most bytes that wait.
 */
export function tailOfLines(bytes: Buffer, tail: number, most: number): number {
  const first = Math.max(0, bytes.length - most);
  let start = tail;
  while (start > first) {
    const feed = breakBefore(bytes, start);
    if (feed === 0) return start;
    const end = start - feed;
    let line = end;
    while (line > 0 && end - line <= WIDEST && isBase64(bytes[line - 1])) line -= 1;
    if (!COLUMNS.includes(end - line)) return start;
    start = line;
  }
  return Math.max(start, first);
}

/** The places of line ends after base64. Each byte is looked at once for either kind. */
class Breaks {
  readonly #bytes: Buffer;
  readonly #from: number;
  #feed = -1;
  #escaped = -1;

  constructor(bytes: Buffer, from: number) {
    this.#bytes = bytes;
    this.#from = from;
  }

  /** The next one, or the end of all. */
  next(from: number): number {
    const bytes = this.#bytes;
    for (let search = from; ;) {
      if (this.#feed < search) this.#feed = orEnd(bytes.indexOf(LF, search), bytes);
      if (this.#escaped < search)
        this.#escaped = orEnd(bytes.indexOf("\\n", search, "latin1"), bytes);
      const at = Math.min(this.#feed, this.#escaped);
      if (at >= bytes.length) return bytes.length;
      const start = startOfBreak(bytes, at, this.#from);
      if (start > this.#from && isBase64(bytes[start - 1])) return start;
      search = at + 1;
    }
  }
}

function orEnd(at: number, bytes: Buffer): number {
  return at < 0 ? bytes.length : at;
}

/** A carriage return may belong to it, written as it is or as JSON writes it. */
function startOfBreak(bytes: Buffer, at: number, from: number): number {
  if (bytes[at] === LF) return at > from && bytes[at - 1] === CR ? at - 1 : at;
  return at >= from + 2 && bytes[at - 1] === SMALL_R && bytes[at - 2] === BACKSLASH ? at - 2 : at;
}

/** Bytes of the line end at a place; 0 where there is none. */
function breakAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === LF) return 1;
  if (byte === CR) return bytes[at + 1] === LF ? 2 : 0;
  if (byte !== BACKSLASH) return 0;
  if (bytes[at + 1] === SMALL_N) return 2;
  return bytes[at + 1] === SMALL_R && bytes[at + 2] === BACKSLASH && bytes[at + 3] === SMALL_N
    ? 4
    : 0;
}

/** Bytes of the line end that is over at a place. */
function breakBefore(bytes: Buffer, end: number): number {
  if (bytes[end - 1] === LF) return bytes[end - 2] === CR ? 2 : 1;
  // Its other half may be still to come.
  return bytes[end - 1] === CR && end === bytes.length ? 1 : 0;
}

function isBase64(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const lower = byte | 0x20;
  return (
    (lower >= 0x61 && lower <= 0x7a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2b ||
    byte === 0x2f ||
    byte === 0x2d ||
    byte === 0x5f
  );
}
