/** What to look for in a reply, and what to put there instead. */
export interface Replacement {
  readonly pattern: Buffer;
  readonly replacement: Buffer;
}

/** A way in which a server may write a text, applied alike to secret and phantom. */
type Spelling = (text: string) => string;

const SPELLINGS: readonly Spelling[] = [
  (text) => text,
  // A server may encode the whole of it (padding included) or a longer text that it stands in:
  // then, at each of three alignments, only the characters that depend on nothing else can be known.
  (text) => Buffer.from(text).toString("base64"),
  (text) => base64Core(text, 0),
  (text) => base64Core(text, 1),
  (text) => base64Core(text, 2),
  (text) => toUrlAlphabet(base64Core(text, 0)),
  (text) => toUrlAlphabet(base64Core(text, 1)),
  (text) => toUrlAlphabet(base64Core(text, 2)),
  (text) => Buffer.from(text).toString("hex"),
  (text) => Buffer.from(text).toString("hex").toUpperCase(),
  (text) => encodeURIComponent(text),
  (text) => encodeStrictly(text),
  (text) => encodeStrictly(text).replaceAll(/%../g, (hex) => hex.toLowerCase()),
  (text) => encodeURI(text),
  (text) => encodeURIComponent(text).replaceAll("%20", "+"),
  (text) => jsonInner(text),
  (text) => jsonInner(text).replaceAll("/", "\\/"),
  // Go's encoding/json, and others that mean their JSON to be safe inside HTML.
  (text) => jsonInner(text).replaceAll(/[<>&'+=]/g, (char) => unicodeEscape(char)),
  (text) => jsonInner(text).replaceAll(/[<>&]/g, (char) => unicodeEscape(char)),
  // HTML text and attributes.
  (text) => escapeHtml(text, "&#39;"),
  (text) => escapeHtml(text, "&#x27;"),
];

/**
 * Spellings that hardly ever occur. They must not be why a reply loses its Content-Length, so
 * where secret and phantom are of one length the phantom is cut or filled to the pattern's.
 */
const RARE_SPELLINGS: readonly Spelling[] = [
  (text) => text.toLowerCase(),
  (text) => text.toUpperCase(),
  (text) => Buffer.from(text, "utf16le").toString("latin1"),
  (text) => Buffer.from(text, "utf16le").swap16().toString("latin1"),
  // A URL within a URL, JSON within JSON.
  (text) => encodeURIComponent(encodeURIComponent(text)),
  (text) => jsonInner(jsonInner(text)),
  // base64 in a URL, and in JSON as PHP writes it.
  ...([0, 1, 2] as const).flatMap((skip): Spelling[] => [
    (text) => encodeURIComponent(base64Core(text, skip)),
    (text) => base64Core(text, skip).replaceAll("/", "\\/"),
  ]),
];

/** Below this an encoded form would be found in text that has nothing to do with the secret. */
const SHORTEST_ENCODED = 6;

/**
 * All the forms of a secret to look for, each with the same form of the phantom. Forms that are
 * alike stand once; the order is that of preference when two begin at one place: the longest first.
 */
export function compilePatterns(secret: string, phantom: string): readonly Replacement[] {
  const forms = new Map<string, string>();
  const add = (pattern: string, replacement: string): void => {
    if (pattern === "" || forms.has(pattern)) return;
    if (pattern === secret || pattern.length >= SHORTEST_ENCODED) forms.set(pattern, replacement);
  };
  for (const spell of SPELLINGS) add(spell(secret), spell(phantom));
  for (const spell of RARE_SPELLINGS) {
    const pattern = spell(secret);
    const spelled = spell(phantom);
    const fitted = spelled.slice(0, pattern.length).padEnd(pattern.length, "A");
    add(pattern, secret.length === phantom.length ? fitted : spelled);
  }
  return [...forms]
    .map(([pattern, replacement]) => ({
      pattern: Buffer.from(pattern, "latin1"),
      replacement: Buffer.from(replacement, "latin1"),
    }))
    .toSorted((a, b) => b.pattern.length - a.pattern.length);
}

/** Whether no replacement can change a length, so that a Content-Length stays true. */
export function keepsLengths(replacements: readonly Replacement[]): boolean {
  return replacements.every(({ pattern, replacement }) => pattern.length === replacement.length);
}

/** The base64 characters made of `text` alone when `skip` bytes of something else precede it in its group of three. */
export function base64Core(text: string, skip: 0 | 1 | 2): string {
  const bytes = Buffer.from(text);
  const encoded = Buffer.concat([Buffer.alloc(skip), bytes]).toString("base64");
  const first = Math.ceil((skip * 8) / 6);
  const end = Math.floor(((skip + bytes.length) * 8) / 6);
  return encoded.slice(first, end);
}

export function toUrlAlphabet(base64: string): string {
  return base64.replaceAll("+", "-").replaceAll("/", "_");
}

/** Percent-encodes all but RFC 3986's unreserved characters. */
function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function jsonInner(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function unicodeEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function escapeHtml(text: string, apostrophe: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", apostrophe);
}
