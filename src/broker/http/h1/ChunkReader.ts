import type { Header } from "../../match.ts";
import { areFields, splitFields } from "./fields.ts";
import { ReplyFault } from "./ReplyFault.ts";

const CR = 0x0d;
const LF = 0x0a;
const LONGEST_SIZE_LINE = 1024;
/** All that is spent on extensions of one body, as in Node's own parser. */
const MOST_EXTENSIONS = 16 * 1024;
const LONGEST_TRAILERS = 32 * 1024;
const NOTHING = Buffer.alloc(0);

/** Size in hex, at most 7 digits; then perhaps extensions, which mean nothing to anybody (RFC 9112 section 7.1.1). */
const SIZE_LINE = /^([0-9A-Fa-f]{1,7})(;[\t\x20-\x7e\x80-\xff]*)?$/;

/** Undoes `chunked` (RFC 9112 section 7.1). Every line ends in CRLF, nothing else. */
export class ChunkReader {
  #state: "size" | "data" | "data-end" | "trailers" = "size";
  #line: Buffer = NOTHING;
  #left = 0;
  #extensions = 0;

  /**
   * Gives the data in `bytes` to `onData`.
   *
   * @returns at the end of the body its trailers and what follows it.
   * @throws ReplyFault.
   */
  push(
    bytes: Buffer,
    onData: (data: Buffer) => void,
  ): { readonly trailers: readonly Header[]; readonly rest: Buffer } | undefined {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === "data") {
        const end = Math.min(bytes.length, at + this.#left);
        onData(bytes.subarray(at, end));
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) this.#state = "data-end";
        continue;
      }
      if (this.#state === "trailers") return this.#readTrailers(bytes.subarray(at));
      const limit = this.#state === "size" ? LONGEST_SIZE_LINE : 2;
      const feed = bytes.indexOf(LF, at);
      const part = bytes.subarray(at, feed < 0 ? bytes.length : feed + 1);
      if (this.#line.length + part.length > limit) throw new ReplyFault("chunk");
      const line = this.#line.length === 0 ? part : Buffer.concat([this.#line, part]);
      if (feed < 0) {
        this.#line = Buffer.from(line);
        return undefined;
      }
      this.#line = NOTHING;
      at = feed + 1;
      if (line.at(-2) !== CR) throw new ReplyFault("bare line feed");
      if (this.#state === "data-end") this.#state = "size";
      else this.#readSize(line.toString("latin1", 0, line.length - 2));
    }
    return undefined;
  }

  #readSize(line: string): void {
    const [, size = "", extensions = ""] = SIZE_LINE.exec(line) ?? [];
    if (size === "") throw new ReplyFault("chunk size");
    this.#extensions += extensions.length;
    if (this.#extensions > MOST_EXTENSIONS) throw new ReplyFault("chunk extensions");
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? "trailers" : "data";
  }

  #readTrailers(
    part: Buffer,
  ): { readonly trailers: readonly Header[]; readonly rest: Buffer } | undefined {
    const bytes = this.#line.length === 0 ? part : Buffer.concat([this.#line, part]);
    let end: number;
    if (bytes.length >= 2 && bytes[0] === CR && bytes[1] === LF) end = 0;
    else {
      const found = bytes.indexOf("\r\n\r\n", 0, "latin1");
      end = found < 0 ? -1 : found + 2;
    }
    if ((end < 0 ? bytes.length : end) > LONGEST_TRAILERS) throw new ReplyFault("trailers");
    if (end < 0) {
      this.#line = Buffer.from(bytes);
      return undefined;
    }
    const text = bytes.toString("latin1", 0, end);
    if (!areFields(text)) throw new ReplyFault("trailers");
    return { trailers: splitFields(text, 0), rest: bytes.subarray(end + 2) };
  }
}
