import type { Header } from "../../match.ts";
import { composeTrailers } from "../h1/composeTrailers.ts";

/** Headers of one HTTP/1.1 connection (RFC 9113 section 8.2.2), and what pseudo-header fields say. */
const NOT_IN_H2 = new Set([
  "connection",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** Fields as node:http2 takes them: names in lower case, each value by itself, none of HTTP/1.1's framing. */
export function h2Fields(headers: readonly Header[]): string[] {
  const fields: string[] = [];
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (!NOT_IN_H2.has(lower)) fields.push(lower, value);
  }
  return fields;
}

/** Trailers for `sendTrailers`, without those that could not be written as fields. */
export function h2Trailers(trailers: readonly Header[]): Record<string, string[]> {
  const out: Record<string, string[]> = {};
  for (const [name, value] of trailers) {
    const lower = name.toLowerCase();
    if (NOT_IN_H2.has(lower) || composeTrailers([[name, value]]) === "") continue;
    (out[lower] ??= []).push(value);
  }
  return out;
}
