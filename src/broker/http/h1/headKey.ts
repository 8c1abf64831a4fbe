/** A head's text less the digits of its length, by which two requests of one kind are alike. */
export interface HeadKey {
  readonly key: string;
  /** What was taken out; `undefined` where the length, or that there is none, is part of the key. */
  readonly length: number | undefined;
}

const NAMES = ["\r\nContent-Length: ", "\r\ncontent-length: "];
/** Of a body that comes in one piece with its head. */
const MOST_DIGITS = 5;
const NOTHING = Buffer.alloc(0);
const LONGEST = 4096;

/**
 * The key of a head that may come again; `undefined` for a long one. Two heads with the same key differ in
 * the digits of their one Content-Length and in nothing else: the first sign of a key says whether digits
 * were taken out, and a head with a second Content-Length is no request of the plain kind.
 *
 * @param head with the line feed of its last field, without the empty line.
 */
export function headKey(head: string): HeadKey | undefined {
  if (head.length > LONGEST) return undefined;
  const found = findLength(head);
  if (found === undefined) return { key: `.${head}`, length: undefined };
  const { start, end, length } = found;
  return { key: `=${head.slice(0, start)}${head.slice(end)}`, length };
}

/** A head that is to be written with another length each time. */
export interface HeadParts {
  readonly before: Buffer;
  /** Absent where the length is always the same: then `before` is all. */
  readonly after?: Buffer;
}

/**
 * Takes a composed head apart at the same digits.
 *
 * @param length that of the key; `undefined` for a head that stays as it is.
 * @returns `undefined` when the length isn't where it is expected.
 */
export function splitAtLength(head: string, length: number | undefined): HeadParts | undefined {
  if (length === undefined) return { before: Buffer.from(head, "latin1") };
  const found = findLength(head);
  if (found?.length !== length) return undefined;
  return {
    before: Buffer.from(head.slice(0, found.start), "latin1"),
    after: Buffer.from(head.slice(found.end), "latin1"),
  };
}

/** Head and body in one piece, as they are written. */
export function joinHead({ before, after }: HeadParts, body: Buffer): Buffer {
  const digits = after === undefined ? "" : String(body.length);
  const rest = after ?? NOTHING;
  const out = Buffer.allocUnsafe(before.length + digits.length + rest.length + body.length);
  let at = before.copy(out, 0);
  if (digits !== "") at += out.write(digits, at, "latin1");
  at += rest.copy(out, at);
  body.copy(out, at);
  return out;
}

/** Where the digits of a length stand, in one of the two usual spellings of its name. */
function findLength(
  head: string,
): { readonly start: number; readonly end: number; readonly length: number } | undefined {
  for (const name of NAMES) {
    const at = head.indexOf(name);
    if (at < 0) continue;
    const start = at + name.length;
    let end = start;
    let length = 0;
    for (; end < start + MOST_DIGITS; end += 1) {
      const digit = head.charCodeAt(end) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      length = length * 10 + digit;
    }
    const usual = end > start && head.charCodeAt(start) !== 0x30 && head.startsWith("\r\n", end);
    return usual ? { start, end, length } : undefined;
  }
  return undefined;
}
