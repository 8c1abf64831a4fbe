import { isUtf8 } from "node:buffer";

/** One field, decoded, and where its value stands as it was sent: byte offsets, the end exclusive. */
export type FormField = readonly [
  name: string,
  value: string,
  valueStart: number,
  valueEnd: number,
];

/** More than servers take: PHP 1000, Node's querystring 1000. */
const MOST_FIELDS = 10_000;
const BYTE_ORDER_MARK = Buffer.from("\ufeff");

/**
 * Reads an application/x-www-form-urlencoded body, or a query without its `?`, as every parser does
 * (https://url.spec.whatwg.org/#urlencoded-parsing). `undefined` when parsers differ: a percent sign
 * without two hex digits, bytes that aren't UTF-8 before or after decoding, a byte order mark, a
 * semicolon (some separate fields by it), raw blanks and controls, NUL in a name; or it has more than
 * 10 000 fields.
 */
export function readForm(bytes: Buffer): FormField[] | undefined {
  if (!isUtf8(bytes) || bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) return undefined;
  // One character per byte, so that positions stay true.
  const text = bytes.toString("latin1");
  if (/[^!-:<-~\x80-\xff]|%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  const fields: FormField[] = [];
  let start = 0;
  const pairs = text.split("&", MOST_FIELDS + 1);
  if (pairs.length > MOST_FIELDS) return undefined;
  for (const pair of pairs) {
    const end = start + pair.length;
    const equals = pair.indexOf("=");
    const valueStart = equals < 0 ? end : start + equals + 1;
    const name = decode(text.slice(start, equals < 0 ? end : start + equals));
    const value = decode(text.slice(valueStart, end));
    if (name === undefined || value === undefined || name.includes("\0")) return undefined;
    if (pair !== "") fields.push([name, value, valueStart, end]);
    start = end + 1;
  }
  return fields;
}

/** A plus sign is a blank, each percent triple a byte, all of it UTF-8. */
function decode(text: string): string | undefined {
  if (!/[%+\x80-\xff]/.test(text)) return text;
  const bytes = Buffer.from(
    text
      .replaceAll("+", " ")
      .replaceAll(/%(..)/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  );
  return isUtf8(bytes) ? bytes.toString("utf8") : undefined;
}

/** Encodes a value for a form or a query: all but RFC 3986's unreserved characters as percent triples. */
export function encodeForForm(value: string): string {
  return encodeURIComponent(value).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
