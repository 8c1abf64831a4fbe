/** A stretch that reads as the secret once its escapes are undone. */
export interface EscapedHit {
  readonly at: number;
  readonly length: number;
  readonly replacement: Buffer;
}

/** What `find` gives: the first hit, and where the end of the bytes could be the beginning of one. */
export interface Searched {
  readonly hit?: EscapedHit;
  /** The bytes' length if nothing has to wait. */
  readonly open: number;
}

/** What escapes are made of. */
const SYNTAX = "%\\&#;0123456789abcdefABCDEFuxXampltgquos";
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
/** The longest that is read: `&#x0000073;`. */
const LONGEST_UNIT = 12;

/** One character as it is written: itself, or an escape. */
interface Unit {
  readonly code: number;
  readonly length: number;
}

/**
 * Finds a secret of which any characters are escaped in any way: `%73` as URLs have it, `\u0073`,
 * `\x73` and `\/` as JSON and its kin, `&#115;`, `&#x73;` and `&amp;` as HTML, in either case of the
 * digits, some characters and not others. Whatever can be read back by undoing escapes once is found;
 * an escape within an escape is not. Looks only where an escape stands: without any this finds
 * nothing, since the secret as it is is a pattern of the `PatternSet`.
 */
export class EscapedSearch {
  readonly #secret: Buffer;
  readonly #phantom: Buffer;
  /** By character code: where in the secret it stands, the last first. */
  readonly #positions: readonly (readonly number[] | undefined)[];
  /** Bytes that can stand in a hit. One is at least as long as the secret, so text is mostly stepped over. */
  readonly #possible = new Uint8Array(256);

  constructor(secret: string, phantom: string) {
    this.#secret = Buffer.from(secret, "latin1");
    this.#phantom = Buffer.from(phantom, "latin1");
    const positions: number[][] = [];
    for (const [index, byte] of this.#secret.entries()) (positions[byte] ??= []).unshift(index);
    this.#positions = positions;
    for (const byte of [...this.#secret, ...Buffer.from(SYNTAX)]) this.#possible[byte] = 1;
  }

  /** Looks from `from` on. @param final whether nothing comes after the bytes. */
  find(bytes: Buffer, from: number, final: boolean): Searched {
    const possible = this.#possible;
    const { length } = this.#secret;
    let sample = from + length - 1;
    let searched = from;
    while (sample < bytes.length) {
      if (possible[bytes[sample] ?? 0] === 0) {
        sample += length;
        continue;
      }
      let end = sample + 1;
      while (end < bytes.length && possible[bytes[end] ?? 0] === 1) end += 1;
      const start = this.#runBefore(bytes, sample, searched);
      if (end - start >= length || end === bytes.length) {
        const found = this.#findInRun(bytes, start, end, final);
        if (found.hit !== undefined || found.open < bytes.length) return found;
      }
      searched = end;
      sample = end + length;
    }
    if (searched === bytes.length) return { open: bytes.length };
    return this.#findInRun(
      bytes,
      this.#runBefore(bytes, bytes.length, searched),
      bytes.length,
      final,
    );
  }

  /** Where the possible bytes that lead up to `at` begin, not before `from`. */
  #runBefore(bytes: Buffer, at: number, from: number): number {
    let start = at;
    while (start > from && this.#possible[bytes[start - 1] ?? 0] === 1) start -= 1;
    return start;
  }

  #findInRun(bytes: Buffer, from: number, to: number, final: boolean): Searched {
    let open = bytes.length;
    for (let at = from; at < to; at += 1) {
      if (!isIntroducer(bytes[at])) continue;
      const unit = readUnit(bytes, at);
      if (unit === "open" && !final)
        return { open: Math.min(open, this.#startBefore(bytes, at, from)) };
      if (typeof unit !== "object") continue;
      for (const index of this.#positions[unit.code] ?? []) {
        if (at - index < from || !this.#isPlain(bytes, at - index, index)) continue;
        const match = this.#matchFrom(bytes, at, index);
        if (match.open && !final) open = Math.min(open, at - index);
        else if (match.ends.length > 0)
          return { hit: this.#hit(bytes, at - index, Math.max(...match.ends)), open };
      }
    }
    return { open };
  }

  /** The earliest place from which a plain beginning of the secret leads up to `at`. */
  #startBefore(bytes: Buffer, at: number, from: number): number {
    for (let length = Math.min(this.#secret.length - 1, at - from); length > 0; length -= 1)
      if (this.#isPlain(bytes, at - length, length)) return at - length;
    return at;
  }

  /** Whether the first `length` characters of the secret stand at `start` as they are. */
  #isPlain(bytes: Buffer, start: number, length: number): boolean {
    for (let index = 0; index < length; index += 1)
      if (bytes[start + index] !== this.#secret[index]) return false;
    return true;
  }

  /**
   * Where the rest of the secret ends, from its character `index` on, in any spelling: all the ends
   * there are, as a character that begins escapes may also stand for itself, and whether the bytes end before one.
   */
  #matchFrom(bytes: Buffer, start: number, index: number): { ends: number[]; open: boolean } {
    let places = [start];
    let open = false;
    for (let next = index; next < this.#secret.length && places.length > 0; next += 1) {
      const wanted = this.#secret[next];
      const after = new Set<number>();
      for (const at of places) {
        if (at >= bytes.length) {
          open = true;
          continue;
        }
        const escaped = isIntroducer(bytes[at]) ? readUnit(bytes, at) : undefined;
        if (escaped === "open") open = true;
        else if (escaped?.code === wanted) after.add(at + (escaped?.length ?? 0));
        if (bytes[at] === wanted) after.add(at + 1);
      }
      places = [...after];
    }
    return { ends: places, open };
  }

  /** The phantom, where it is as long as the secret with each character spelled at the length of the one it replaces. */
  #hit(bytes: Buffer, at: number, end: number): EscapedHit {
    const length = end - at;
    if (this.#phantom.length !== this.#secret.length)
      return { at, length, replacement: this.#phantom };
    let out = "";
    let position = at;
    for (const [index, code] of this.#phantom.entries()) {
      const unit = isIntroducer(bytes[position]) ? readUnit(bytes, position) : undefined;
      const size = typeof unit === "object" && unit.code === this.#secret[index] ? unit.length : 1;
      out += spell(bytes.toString("latin1", position, position + size), code);
      position += size;
    }
    const fitted = out.slice(0, length).padEnd(length, "_");
    return { at, length, replacement: Buffer.from(fitted, "latin1") };
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

/** The escape at a place; `open` when the bytes end before it does, `undefined` when there is none. */
function readUnit(bytes: Buffer, at: number): Unit | "open" | undefined {
  const left = bytes.length - at;
  switch (bytes[at] ?? 0) {
    case PERCENT:
      return readHex(bytes, at, 1, 2);
    case BACKSLASH: {
      if (left === 1) return "open";
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

function readHex(
  bytes: Buffer,
  at: number,
  skip: number,
  digits: number,
): Unit | "open" | undefined {
  let code = 0;
  for (let index = at + skip; index < at + skip + digits; index += 1) {
    if (index >= bytes.length) return "open";
    const digit = hexDigit(bytes[index] ?? 0);
    if (digit === undefined) return undefined;
    code = code * 16 + digit;
  }
  return { code, length: skip + digits };
}

function readEntity(bytes: Buffer, at: number): Unit | "open" | undefined {
  const text = bytes.toString("latin1", at + 1, at + LONGEST_UNIT);
  const [all, hex, decimal, name] =
    /^(?:#[xX]([0-9a-fA-F]{1,7})|#([0-9]{1,7})|([a-z]{2,4}));/.exec(text) ?? [];
  if (all === undefined) {
    const whole = bytes.length - at < LONGEST_UNIT && /^(?:#[xX]?[0-9a-fA-F]*|[a-z]*)$/.test(text);
    return whole ? "open" : undefined;
  }
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

function isPunctuation(byte: number): boolean {
  return (
    (byte >= 0x21 && byte <= 0x2f) ||
    (byte >= 0x3a && byte <= 0x40) ||
    (byte >= 0x5b && byte <= 0x60) ||
    (byte >= 0x7b && byte <= 0x7e)
  );
}
