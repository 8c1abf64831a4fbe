import { findInStretches, type Alphabet } from "./credentialAlphabet.ts";
import { RollingSearch, standsAt } from "../../needles/index.ts";

/** A stretch that reads as the secret once its escapes are undone. */
export interface EscapedHit {
  readonly at: number;
  readonly length: number;
  readonly replacement: Buffer;
}

const PERCENT = 0x25;
const BACKSLASH = 0x5c;
const AMPERSAND = 0x26;
const NAMED: ReadonlyMap<string, number> = new Map([
  ["amp", 0x26],
  ["lt", 0x3c],
  ["gt", 0x3e],
  ["quot", 0x22],
  ["apos", 0x27],
]);
/** The longest that is read: `\u0073`, `&#x73;`. */
const LONGEST_UNIT = 6;

/** One character as it is written by an escape. */
interface Unit {
  readonly code: number;
  readonly length: number;
}

/**
 * Finds a secret of which any characters are escaped in any way: `%73` as URLs have it, `\u0073`,
 * `\x73` and `\/` as JSON and its kin, `&#115;`, `&#x73;` and `&amp;` as HTML, in either case of the
 * digits, some characters and not others. Whatever can be read back by undoing escapes once, from
 * left to right, is found; an escape within an escape is not, nor one whose first letter a digit and a
 * percent sign before it make an escape of. The secret as it is, without any
 * escape, is a pattern of the `PatternSet` and not found here.
 */
export class EscapedSearch {
  /** The longest that a hit can be. */
  readonly longest: number;
  readonly #secret: Buffer;
  readonly #phantom: Buffer;
  readonly #alphabet: Alphabet;
  readonly #search: RollingSearch<true>;
  /** What a stretch of bytes reads as, and where each character of that stands; reused. */
  #codes = new Uint8Array(1024);
  #places = new Uint32Array(1025);

  /** @param alphabet that has all bytes of the secret, and of escapes. */
  constructor(secret: string, phantom: string, alphabet: Alphabet) {
    this.#secret = Buffer.from(secret, "latin1");
    this.#phantom = Buffer.from(phantom, "latin1");
    this.#alphabet = alphabet;
    this.longest = this.#secret.length * LONGEST_UNIT;
    this.#search = new RollingSearch([{ bytes: this.#secret, word: true }]);
  }

  /** The first hit not before `from`. */
  find(bytes: Buffer, from: number): EscapedHit | undefined {
    return findInStretches(bytes, from, this.#secret.length + 1, this.#alphabet, (start, end) =>
      this.#findWithin(bytes, start, end),
    );
  }

  #findWithin(bytes: Buffer, start: number, end: number): EscapedHit | undefined {
    let escaped = false;
    for (let at = start; at < end && !escaped; at += 1)
      if (isIntroducer(bytes[at])) {
        const unit = readUnit(bytes, at);
        escaped = unit !== undefined && this.#alphabet[unit.code] === 1;
      }
    if (!escaped) return undefined;
    const count = this.#read(bytes, start, end);
    const { length } = this.#secret;
    return this.#search.find(this.#codes, 0, count, (_word, index) => {
      const at = this.#places[index] ?? 0;
      const size = (this.#places[index + length] ?? 0) - at;
      if (index + length > count || size === length) return undefined;
      if (!standsAt(this.#codes, index, this.#secret)) return undefined;
      return { at, length: size, replacement: this.#spell(bytes, index) };
    });
  }

  /** Undoes the escapes of a stretch; gives how many characters it has. */
  #read(bytes: Buffer, start: number, end: number): number {
    if (this.#codes.length < end - start) {
      this.#codes = new Uint8Array(end - start);
      this.#places = new Uint32Array(end - start + 1);
    }
    let count = 0;
    for (let at = start; at < end; count += 1) {
      const byte = bytes[at] ?? 0;
      const unit = isIntroducer(byte) ? readUnit(bytes, at) : undefined;
      // What stands for none of the alphabet is no escape of a credential, and must not hide its first letters.
      const known = unit !== undefined && this.#alphabet[unit.code] === 1 ? unit : undefined;
      this.#places[count] = at;
      this.#codes[count] = known?.code ?? byte;
      at += known?.length ?? 1;
    }
    this.#places[count] = end;
    return count;
  }

  /** The phantom, where it is as long as the secret with each character spelled at the length of the one it replaces. */
  #spell(bytes: Buffer, index: number): Buffer {
    if (this.#phantom.length !== this.#secret.length) return this.#phantom;
    let out = "";
    for (const [offset, code] of this.#phantom.entries()) {
      const like = bytes.toString(
        "latin1",
        this.#places[index + offset],
        this.#places[index + offset + 1],
      );
      out += spell(like, code);
    }
    return Buffer.from(out, "latin1");
  }
}

/** A character spelled as `like` is and exactly as long; something as worthless where that can't be. */
function spell(like: string, code: number): string {
  const hex = code.toString(16).padStart(2, "0");
  const char = String.fromCharCode(code);
  if (like.length === 1) return char;
  if (like.startsWith("%")) return `%${hex}`;
  if (like.startsWith("\\u")) return `\\u00${hex}`;
  if (like.startsWith("\\x")) return `\\x${hex}`;
  if (like.startsWith("&#x") || like.startsWith("&#X"))
    return `&#x${hex.padStart(like.length - 4, "0")};`;
  const decimal = `&#${String(code).padStart(like.length - 3, "0")};`;
  return like.startsWith("&") && decimal.length === like.length ? decimal : "_".repeat(like.length);
}

function isIntroducer(byte: number | undefined): boolean {
  return byte === PERCENT || byte === BACKSLASH || byte === AMPERSAND;
}

/** The escape at a place; `undefined` when there is none, or the bytes end before it does. */
function readUnit(bytes: Buffer, at: number): Unit | undefined {
  switch (bytes[at] ?? 0) {
    case PERCENT:
      return readHex(bytes, at, 1, 2);
    case BACKSLASH: {
      const kind = bytes[at + 1] ?? 0;
      if (kind === 0x75) return readHex(bytes, at, 2, 4);
      if (kind === 0x78) return readHex(bytes, at, 2, 2);
      return isPunctuation(kind) ? { code: kind, length: 2 } : undefined;
    }
    case AMPERSAND:
      return readEntity(bytes, at);
    default:
      return undefined;
  }
}

function readHex(bytes: Buffer, at: number, skip: number, digits: number): Unit | undefined {
  let code = 0;
  for (let index = at + skip; index < at + skip + digits; index += 1) {
    const digit = hexDigit(bytes[index] ?? 0);
    if (digit === undefined) return undefined;
    code = code * 16 + digit;
  }
  return { code, length: skip + digits };
}

function readEntity(bytes: Buffer, at: number): Unit | undefined {
  const text = bytes.toString("latin1", at + 1, at + LONGEST_UNIT);
  const [all, hex, decimal, name] =
    /^(?:#[xX]([0-9a-fA-F]{1,2})|#([0-9]{1,3})|([a-z]{2,4}));/.exec(text) ?? [];
  if (all === undefined) return undefined;
  let code: number | undefined;
  if (hex !== undefined) code = Number.parseInt(hex, 16);
  else if (decimal !== undefined) code = Number(decimal);
  else if (name !== undefined) code = NAMED.get(name);
  return code === undefined ? undefined : { code, length: all.length + 1 };
}

function hexDigit(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}

/**
 * What a backslash may stand before, less what begins an escape itself: so no escape stands in another
 * one, and all are found wherever the reading begins.
 */
function isPunctuation(byte: number): boolean {
  if (isIntroducer(byte)) return false;
  return (
    (byte >= 0x21 && byte <= 0x2f) ||
    (byte >= 0x3a && byte <= 0x40) ||
    (byte >= 0x5b && byte <= 0x60) ||
    (byte >= 0x7b && byte <= 0x7e)
  );
}
