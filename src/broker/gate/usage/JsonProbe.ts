/** Longer values than this are not what is looked for. */
const MOST_CAPTURED = 64 * 1024;
/** Members of members of the root; deeper ones are never wanted. */
const DEEPEST_KEY = 2;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Finds some members of a JSON text as it streams by, by their place and not by their looks, in
 * little memory however large the text: what a text quotes or echoes deeper inside is not taken for
 * them. Paths are dotted, as `usage` or `response.usage`; the items of an array at the root count
 * as roots of their own. It expects JSON and does not check it.
 */
export class JsonProbe {
  readonly #wanted: ReadonlySet<string>;
  readonly #found: (path: string, value: unknown) => void;
  #depth = 0;
  /** Depth of the root object: 1, or 2 in an array. */
  #root = 1;
  /** For the depths whose keys matter: whether it is an object that is open there. */
  readonly #objects: boolean[] = [];
  readonly #keys: string[] = [];
  #inString = false;
  #escaped = false;
  #atKey = false;
  #key: number[] | undefined;
  #path = "";
  #captured: number[] | undefined;
  #captureDepth = 0;

  constructor(paths: readonly string[], found: (path: string, value: unknown) => void) {
    this.#wanted = new Set(paths);
    this.#found = found;
  }

  /** Forgets what came, for another text. */
  reset(): void {
    this.#depth = 0;
    this.#root = 1;
    this.#inString = false;
    this.#escaped = false;
    this.#atKey = false;
    this.#key = undefined;
    this.#captured = undefined;
  }

  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += 1) {
      if (this.#inString && !this.#escaped && this.#key === undefined && !this.#captured) {
        // Most of a reply is one string: on to its end or its next escape.
        while (at < bytes.length && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH) at += 1;
      }
      const byte = bytes[at];
      if (byte !== undefined) this.#take(byte);
    }
  }

  #take(byte: number): void {
    if (this.#captured !== undefined) {
      const ends =
        !this.#inString && this.#depth === this.#captureDepth && (byte === 0x2c || byte === 0x7d);
      if (ends) this.#endCapture(this.#captured);
      else if (this.#captured.push(byte) > MOST_CAPTURED) this.#captured = undefined;
    }
    if (this.#inString) this.#takeInString(byte);
    else if (byte === QUOTE) {
      this.#inString = true;
      if (this.#atKey) this.#key = [];
    } else if (byte === 0x7b || byte === 0x5b) this.#open(byte === 0x7b);
    else if (byte === 0x7d || byte === 0x5d) this.#close();
    else if (byte === 0x3a && this.#atKey) this.#beginValue();
    else if (byte === 0x2c) this.#atKey = this.#inKeyedObject();
  }

  #takeInString(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) {
      this.#inString = false;
      if (this.#key === undefined) return;
      this.#keys[this.#depth] = Buffer.from(this.#key).toString("utf8");
      this.#key = undefined;
      return;
    }
    // A key with an escape in it is none of those wanted.
    if (this.#key !== undefined && this.#key.length < 64) this.#key.push(byte);
  }

  #open(isObject: boolean): void {
    this.#depth += 1;
    if (this.#depth === 1) this.#root = isObject ? 1 : 2;
    if (this.#depth <= this.#root + DEEPEST_KEY) this.#objects[this.#depth] = isObject;
    this.#atKey = this.#inKeyedObject();
  }

  #close(): void {
    this.#depth = Math.max(0, this.#depth - 1);
    this.#atKey = false;
  }

  #inKeyedObject(): boolean {
    const level = this.#depth - this.#root;
    return level >= 0 && level < DEEPEST_KEY && this.#objects[this.#depth] === true;
  }

  #beginValue(): void {
    this.#atKey = false;
    // A member of an object in an array has the array's key above it, and isn't wanted.
    if (this.#depth > this.#root && this.#objects[this.#depth - 1] !== true) return;
    const path = this.#keys.slice(this.#root, this.#depth + 1).join(".");
    if (this.#captured !== undefined || !this.#wanted.has(path)) return;
    this.#path = path;
    this.#captured = [];
    this.#captureDepth = this.#depth;
  }

  #endCapture(captured: readonly number[]): void {
    this.#captured = undefined;
    try {
      this.#found(this.#path, JSON.parse(Buffer.from(captured).toString("utf8")));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
}
