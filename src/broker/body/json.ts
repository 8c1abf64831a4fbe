import { isUtf8 } from "node:buffer";
import type { Json } from "../../plan/index.ts";

/** A value of a JSON text and where it stands: byte offsets, `end` exclusive. */
export type JsonNode =
  | {
      readonly kind: "object";
      readonly members: ReadonlyMap<string, JsonNode>;
      readonly start: number;
      readonly end: number;
    }
  | {
      readonly kind: "array";
      readonly items: readonly JsonNode[];
      readonly start: number;
      readonly end: number;
    }
  | {
      readonly kind: "scalar";
      readonly value: string | number | boolean | null;
      readonly start: number;
      readonly end: number;
    };

/** Containers within containers. Parsers differ in where they give up, and no known API needs more. */
const DEEPEST = 64;
/** Each takes some hundred bytes of memory, whatever it takes in the text. */
const MOST_VALUES = 100_000;

/**
 * Reads a JSON text (RFC 8259) if every parser reads it alike. `undefined`: it isn't JSON, is not
 * UTF-8, begins with a byte order mark, has an object with one key twice or a NUL in a key, a
 * string with half of a surrogate pair, is nested deeper than 64, or has more than 100 000 values.
 */
export function readJson(bytes: Buffer): JsonNode | undefined {
  if (!isUtf8(bytes)) return undefined;
  try {
    return new Reader(bytes).readDocument();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

/** The value at a JSON pointer (RFC 6901), if there is one. */
export function nodeAt(root: JsonNode, pointer: string): JsonNode | undefined {
  let node: JsonNode | undefined = root;
  for (const token of readPointer(pointer)) {
    if (node?.kind === "object") node = node.members.get(token);
    else if (node?.kind === "array")
      node = /^(?:0|[1-9][0-9]{0,8})$/.test(token) ? node.items[Number(token)] : undefined;
    else return undefined;
  }
  return node;
}

/** A pointer's reference tokens, unescaped. @throws TypeError when it doesn't begin with a slash. */
export function readPointer(pointer: string): string[] {
  if (pointer === "") return [];
  if (!pointer.startsWith("/")) throw new TypeError("a JSON pointer begins with a slash");
  return pointer
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The text with some values replaced; all other bytes are kept. @throws TypeError when two of the nodes overlap. */
export function replaceInJson(
  bytes: Buffer,
  edits: readonly { readonly node: JsonNode; readonly value: Json }[],
): Buffer {
  return splice(
    bytes,
    edits.map(({ node: { start, end }, value }) => ({
      start,
      end,
      bytes: Buffer.from(JSON.stringify(value)),
    })),
  );
}

/** Puts other bytes in place of some stretches. @throws TypeError when two of them overlap. */
export function splice(
  bytes: Buffer,
  edits: readonly { readonly start: number; readonly end: number; readonly bytes: Buffer }[],
): Buffer {
  const out: Buffer[] = [];
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    if (edit.start < at) throw new TypeError("two edits of one text overlap");
    out.push(bytes.subarray(at, edit.start), edit.bytes);
    at = edit.end;
  }
  out.push(bytes.subarray(at));
  return Buffer.concat(out);
}

class Unreadable extends Error {}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Recursive descent over bytes; UTF-8's longer forms can only stand in strings and never look like ASCII. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #values = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  readDocument(): JsonNode {
    const root = this.#readValue(DEEPEST);
    this.#skipBlanks();
    if (this.#at < this.#bytes.length) throw new Unreadable();
    return root;
  }

  #readValue(depth: number): JsonNode {
    this.#skipBlanks();
    this.#values += 1;
    if (this.#values > MOST_VALUES) throw new Unreadable();
    const start = this.#at;
    switch (this.#bytes[start] ?? 0) {
      case 0x7b:
        return this.#readObject(depth);
      case 0x5b:
        return this.#readArray(depth);
      case QUOTE: {
        const value = this.#readString();
        return { kind: "scalar", value, start, end: this.#at };
      }
      case 0x74:
        return this.#readWord("true", true);
      case 0x66:
        return this.#readWord("false", false);
      case 0x6e:
        return this.#readWord("null", null);
      default:
        return this.#readNumber();
    }
  }

  #readObject(depth: number): JsonNode {
    if (depth === 0) throw new Unreadable();
    const start = this.#at++;
    const members = new Map<string, JsonNode>();
    if (this.#takes(0x7d)) return { kind: "object", members, start, end: this.#at };
    do {
      this.#skipBlanks();
      const key = this.#readString();
      if (members.has(key) || key.includes("\0") || !this.#takes(0x3a)) throw new Unreadable();
      members.set(key, this.#readValue(depth - 1));
    } while (this.#takes(0x2c));
    if (!this.#takes(0x7d)) throw new Unreadable();
    return { kind: "object", members, start, end: this.#at };
  }

  #readArray(depth: number): JsonNode {
    if (depth === 0) throw new Unreadable();
    const start = this.#at++;
    const items: JsonNode[] = [];
    if (this.#takes(0x5d)) return { kind: "array", items, start, end: this.#at };
    do items.push(this.#readValue(depth - 1));
    while (this.#takes(0x2c));
    if (!this.#takes(0x5d)) throw new Unreadable();
    return { kind: "array", items, start, end: this.#at };
  }

  #readString(): string {
    const bytes = this.#bytes;
    const start = this.#at;
    if (bytes[start] !== QUOTE) throw new Unreadable();
    let escaped = false;
    let at = start + 1;
    for (;;) {
      const byte = bytes[at];
      if (byte === undefined || byte < 0x20) throw new Unreadable();
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) {
        escaped = true;
        at += 1;
      }
      at += 1;
    }
    this.#at = at + 1;
    if (!escaped) return bytes.toString("utf8", start + 1, at);
    const value = unescape(bytes.toString("utf8", start, at + 1));
    if (value === undefined || !value.isWellFormed()) throw new Unreadable();
    return value;
  }

  #readNumber(): JsonNode {
    const start = this.#at;
    let end = start;
    // Everything a number is made of: digits, signs, point, exponent.
    while (isNumeric(this.#bytes[end])) end += 1;
    const text = this.#bytes.toString("latin1", start, end);
    if (!/^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(text))
      throw new Unreadable();
    this.#at = end;
    return { kind: "scalar", value: Number(text), start, end };
  }

  #readWord(word: string, value: boolean | null): JsonNode {
    const start = this.#at;
    const end = start + word.length;
    if (this.#bytes.toString("latin1", start, end) !== word) throw new Unreadable();
    this.#at = end;
    return { kind: "scalar", value, start, end };
  }

  /** Past blanks, and past `byte` if it comes next. */
  #takes(byte: number): boolean {
    this.#skipBlanks();
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  #skipBlanks(): void {
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.#at += 1;
    }
  }
}

/** A quoted string with escapes; `undefined` when one of them is none of JSON's. */
function unescape(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}

function isNumeric(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e ||
    byte === 0x45 ||
    byte === 0x65
  );
}
