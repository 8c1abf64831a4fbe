import type { CallBody } from "./body/CallBody.ts";
import type { VisitHead } from "./http/Visit.ts";
import { isRefusal, refuse, type Refusal } from "./Refusal.ts";

/** A request in the one way it can be read. */
export interface Call {
  /** Upper case. */
  readonly method: string;
  /** As sent: percent-encoding untouched, no query. */
  readonly path: string;
  /** From the `?` on, or empty. */
  readonly query: string;
  /** The one Host header. */
  readonly host: string;
  /** In order and case as sent. */
  readonly headers: readonly Header[];
  /** Whether a body follows, and how its length is told. */
  readonly body: "none" | "length" | "chunked";
  /** The body itself, where a decision needs it; see `needsBody`. */
  readonly content?: CallBody;
  /** The protocol that a GET asks to go on with; absent for every other call. */
  readonly upgrade?: "websocket";
}

export type Header = readonly [name: string, value: string];

/** More than any known client sends; Node's own limit would drop further headers silently. */
const MOST_HEADERS = 200;

/**
 * Reads a request strictly: whatever another server might read differently is refused.
 * RFC 9112 sections 3.2 (Host, target forms) and 6 (framing).
 */
export function readCall(head: VisitHead): Call | Refusal {
  if (head.version === "1.0") return refuse("malformed-request");
  const { method, headers } = head;
  if (method === "CONNECT") return refuse("connect-method");
  if (!/^[A-Z]{1,20}$/.test(method) || method === "TRACE") return refuse("malformed-request");

  if (headers.length > MOST_HEADERS) return refuse("header-flood");
  const hosts = valuesOf(headers, "host");
  const host = hosts[0];
  if (host === undefined || hosts.length !== 1) return refuse("host-mismatch");

  const framing = readFraming(headers);
  if (typeof framing === "object") return framing;
  // By HTTP/2 a body may come without any header that says so.
  const unsaid = head.version === "2" && framing === "none" && head.empty !== true;
  const body = unsaid ? "chunked" : framing;
  const expectations = valuesOf(headers, "expect");
  if (expectations.some((value) => value.toLowerCase() !== "100-continue"))
    return refuse("expectation");
  if (head.upgrade === undefined && valuesOf(headers, "upgrade").length > 0)
    return refuse("upgrade");

  const target = readTarget(head.target);
  if (isRefusal(target)) return target;
  const upgrade = head.upgrade === undefined ? {} : { upgrade: head.upgrade };
  return { method, ...target, host, headers, body, ...upgrade };
}

/**
 * Splits an origin-form target and refuses what could name two things: dot segments (also with
 * `;parameters`), empty segments, encoded slashes, backslashes, controls, percent signs and
 * unreserved characters (RFC 3986 sections 3.3 and 6.2.2), anything outside a path's alphabet.
 */
export function readTarget(
  target: string,
): { readonly path: string; readonly query: string } | Refusal {
  if (!target.startsWith("/")) return refuse("target-form");
  // Printable ASCII, no fragment, no backslash: some servers read it as a slash.
  if (!/^[\x21\x22\x24-\x5b\x5d-\x7e]+$/.test(target)) return refuse("path-ambiguous");
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? "" : target.slice(mark);
  if (!/^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})+$/.test(path))
    return refuse("path-ambiguous");
  for (const [, hex = ""] of path.matchAll(/%(..)/g)) {
    const byte = Number.parseInt(hex, 16);
    const ambiguous = byte < 0x20 || byte === 0x7f || "/\\%".includes(String.fromCharCode(byte));
    if (ambiguous || /[A-Za-z0-9\-._~]/.test(String.fromCharCode(byte)))
      return refuse("path-ambiguous");
  }
  if (!isUtf8(path)) return refuse("path-ambiguous");
  const segments = path.slice(1).split("/");
  for (const [index, segment] of segments.entries()) {
    const bare = segment.split(/;|%3b/i)[0];
    if (bare === "." || bare === "..") return refuse("path-ambiguous");
    // Empty, or empty for a server that takes parameters off: what some collapse, others don't.
    if (bare === "" && (segment !== "" || index < segments.length - 1))
      return refuse("path-ambiguous");
  }
  return { path, query };
}

/** Whether what is percent-encoded is UTF-8. Some servers read overlong forms as what they mean: `%c0%af` as a slash. */
function isUtf8(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/** All values of a header, its name given in lower case. */
export function valuesOf(headers: readonly Header[], name: string): string[] {
  const values: string[] = [];
  // Asked a dozen times for each call: most names differ in length already.
  for (const [key, value] of headers)
    if (key.length === name.length && key.toLowerCase() === name) values.push(value);
  return values;
}

/** Node's flat list as pairs. */
export function pairHeaders(raw: readonly string[]): Header[] {
  const out: Header[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    out.push([raw[index] ?? "", raw[index + 1] ?? ""]);
  return out;
}

/** One length or one `chunked`, never both: Node's parser refuses most of this already; this does not rely on it. */
export function readFraming(headers: readonly Header[]): Call["body"] | Refusal {
  const lengths = valuesOf(headers, "content-length");
  const codings = valuesOf(headers, "transfer-encoding");
  if (lengths.length + codings.length > 1) return refuse("framing");
  const [length] = lengths;
  const [coding] = codings;
  if (length !== undefined && !/^[0-9]{1,15}$/.test(length)) return refuse("framing");
  if (coding !== undefined && coding.toLowerCase() !== "chunked") return refuse("framing");
  if (coding !== undefined) return "chunked";
  return length === undefined || Number(length) === 0 ? "none" : "length";
}
