/** A head's text less the digits of its length, by which two requests of one kind are alike. */
export interface HeadKey {
  readonly key: string;
  /** What was taken out; `undefined` where the length, or that there is none, is part of the key. */
  readonly length: number | undefined;
}

/** Of a body that comes in one piece with its head. */
const LENGTH = /\r\nContent-Length: ([1-9][0-9]{0,4})\r\n/i;
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
  const match = LENGTH.exec(head);
  const digits = match?.[1];
  if (match === null || digits === undefined) return { key: `.${head}`, length: undefined };
  const end = match.index + match[0].length - 2;
  return {
    key: `=${head.slice(0, end - digits.length)}${head.slice(end)}`,
    length: Number(digits),
  };
}

/** A head that is to be written with another length each time. */
export interface HeadParts {
  readonly before: string;
  /** Absent where the length is always the same: then `before` is all. */
  readonly after?: string;
}

/**
 * Takes a composed head apart at the same digits.
 *
 * @param length that of the key; `undefined` for a head that stays as it is.
 * @returns `undefined` when the length isn't where it is expected.
 */
export function splitAtLength(head: string, length: number | undefined): HeadParts | undefined {
  if (length === undefined) return { before: head };
  const match = LENGTH.exec(head);
  const digits = match?.[1];
  if (match === null || digits === undefined || Number(digits) !== length) return undefined;
  const end = match.index + match[0].length - 2;
  return { before: head.slice(0, end - digits.length), after: head.slice(end) };
}

/** Head and body in one piece, as they are written. */
export function joinHead({ before, after }: HeadParts, body: Buffer): Buffer {
  const head = after === undefined ? before : `${before}${body.length}${after}`;
  const out = Buffer.allocUnsafe(head.length + body.length);
  out.write(head, 0, "latin1");
  body.copy(out, head.length);
  return out;
}
