import type { SecretValue } from "../../secrets/index.ts";
import type { Decision } from "../decide/decide.ts";
import type { Call, Header } from "../match.ts";
import { hostHeaders } from "../identify.ts";
import { putInPath } from "../decide/pathPlace.ts";

/** A request as it goes out. */
export interface Outgoing {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly Header[];
  /** Replaces the bot's body; its length stands in `headers`. Absent: the bot's own, as it comes. */
  readonly body?: Buffer;
}

/** Hop-by-hop (RFC 9110 section 7.6.1), answered by the broker itself, or set anew below. */
const NOT_FORWARDED = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-authentication-info",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "expect",
  "host",
  "accept-encoding",
  // A reply fetched in slices would show the secret in pieces too small to be found. A server may
  // always answer a request without Range by the whole (RFC 9110 section 14.2).
  "range",
  "if-range",
  "request-range",
  // Known to make servers or caches read another path or method than the one that was matched.
  "x-original-url",
  "x-rewrite-url",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
]);

/** Never taken away because Connection names it: then the call would say something else than was matched. */
const END_TO_END = new Set(["content-length", "content-type", "content-encoding", "host"]);

/**
 * The call as the upstream gets it: the secret in exactly the places where the phantom stood, other
 * headers in their order and case, identity asked for so that the reply can be searched.
 */
export function inject(call: Call, decision: Decision, secret: SecretValue): Outgoing {
  const value = secret.revealSecret();
  let path = decision.path;
  const byHeader = new Map<string, string>();
  for (const place of decision.placed) {
    if (place.in === "header") byHeader.set(place.name, place.prefix + value);
    else if (place.in === "path") path = putInPath(place.template, path, encodeForPath(value));
  }
  const hop = connectionNames(call.headers);
  const headers: Header[] = [["Host", hostHeaders(decision.granted)[0]]];
  for (const [name, sent] of call.headers) {
    const lower = name.toLowerCase();
    const placed = byHeader.get(lower);
    if (placed !== undefined) headers.push([name, placed]);
    else if (!NOT_FORWARDED.has(lower) && (!hop.has(lower) || END_TO_END.has(lower)))
      headers.push([name, sent]);
  }
  headers.push(["Accept-Encoding", "identity"]);
  if (call.body === "chunked") headers.push(["Transfer-Encoding", "chunked"]);
  // A method that usually has a body gets chunked framing from Node unless told that there is none.
  else if (
    call.body === "none" &&
    !headers.some(([name]) => name.toLowerCase() === "content-length")
  ) {
    if (!["GET", "HEAD", "OPTIONS"].includes(call.method)) headers.push(["Content-Length", "0"]);
  }
  const body = call.content?.bytes;
  if (body === undefined) return { method: call.method, target: path + call.query, headers };
  const framed = headers.filter(
    ([name]) => !["content-length", "transfer-encoding"].includes(name.toLowerCase()),
  );
  framed.push(["Content-Length", String(body.length)]);
  return { method: call.method, target: path + call.query, headers: framed, body };
}

/** Headers of a reply without those that belong to the one connection only. */
export function withoutHopByHop(
  headers: readonly Header[],
  alsoWithout: readonly string[] = [],
): Header[] {
  const hop = connectionNames(headers);
  return headers.filter(([name]) => {
    const lower = name.toLowerCase();
    return !NOT_FORWARDED.has(lower) && !hop.has(lower) && !alsoWithout.includes(lower);
  });
}

/** Lower-case names that Connection headers list. */
function connectionNames(headers: readonly Header[]): Set<string> {
  const lists = headers
    .filter(([name]) => name.toLowerCase() === "connection")
    .map(([, value]) => value);
  return new Set(lists.flatMap((list) => list.split(",")).map((name) => name.trim().toLowerCase()));
}

/** Percent-encodes what may not stand in a path segment (RFC 3986 section 3.3, `pchar`). */
function encodeForPath(value: string): string {
  return value.replaceAll(
    /[^A-Za-z0-9\-._~!$&'()*+,;=:@]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}
