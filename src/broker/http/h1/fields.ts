import type { Header } from "../../match.ts";

/** Token, colon, anything but controls, CRLF: no fold, no blank before the colon (RFC 9112 section 5). */
const FIELD = String.raw`[!#$%&'*+\-.^_\x60|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n`;

/** One start line, then any number of fields, nothing else. Linear: no two parts can share a character. */
export function headPattern(startLine: string): RegExp {
  return new RegExp(`^${startLine}\\r\\n(?:${FIELD})*$`);
}

const FIELDS = new RegExp(`^(?:${FIELD})*$`);

/** Whether a text is nothing but well formed fields, each with its CRLF. */
export function areFields(text: string): boolean {
  return FIELDS.test(text);
}

/**
 * Start line and fields as a head without its blank line; `undefined` when somebody could read further
 * fields or another message in it.
 */
export function composeFields(
  startLine: string,
  headers: readonly Header[],
  pattern: RegExp,
): string | undefined {
  if (startLine.includes("\r")) return undefined;
  let head = `${startLine}\r\n`;
  for (const [name, value] of headers) {
    if (value.includes("\r") || name.includes(":")) return undefined;
    head += `${name}: ${value}\r\n`;
  }
  return pattern.test(head) ? head : undefined;
}

/** Splits fields that a pattern has let through, from `from` on. Blanks round a value are no part of it. */
export function splitFields(text: string, from: number): Header[] {
  const headers: Header[] = [];
  let at = from;
  while (at < text.length) {
    const colon = text.indexOf(":", at);
    const end = text.indexOf("\r\n", colon);
    headers.push([text.slice(at, colon), trimBlanks(text, colon + 1, end)]);
    at = end + 2;
  }
  return headers;
}

/** Only spaces and tabs: `trim` would also take what isn't a blank in HTTP, as \xa0. */
function trimBlanks(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
