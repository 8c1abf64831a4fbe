import type { Header } from "../match.ts";

/**
 * What a recipient would have to know before the body, or what belongs to one connection (RFC 9110
 * section 6.5.1), and what carries credentials: it has no place after the decision.
 */
const NEVER = new Set([
  "authorization",
  "cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "location",
  "max-forwards",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "range",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "www-authenticate",
  "x-api-key",
]);

/** Trailers without those that must not be one. */
export function passableTrailers(trailers: readonly Header[]): readonly Header[] {
  return trailers.length === 0
    ? trailers
    : trailers.filter(([name]) => !NEVER.has(name.toLowerCase()));
}
