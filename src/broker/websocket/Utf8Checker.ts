import { isUtf8 } from "node:buffer";

const NOTHING: Buffer = Buffer.alloc(0);

/** Whether a text that comes in pieces is UTF-8, a character cut between two of them included. */
export class Utf8Checker {
  #rest = NOTHING;

  /** @param last whether the text ends with this piece. */
  accepts(piece: Buffer, last: boolean): boolean {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const end = last ? bytes.length : wholeCharacters(bytes);
    this.#rest = end === bytes.length ? NOTHING : Buffer.from(bytes.subarray(end));
    return isUtf8(bytes.subarray(0, end));
  }
}

/** Where a character that hasn't come in full begins, at most three bytes before the end. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
