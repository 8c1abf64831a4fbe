import type { Decision } from "../decide/decide.ts";
import { readCoding } from "../body/coding.ts";
import { valuesOf, type Call, type Header } from "../match.ts";
import { hostHeaders } from "../identify.ts";
import type { Credential } from "./Credential.ts";
import { signOutgoing } from "./signOutgoing.ts";
import { bodyWith, headersWith, pathWith, queryWith } from "./putInPlace.ts";

/** A request as it goes out. */
export interface Outgoing {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly Header[];
  /** Replaces the bot's body; its length stands in `headers`. Absent: the bot's own, as it comes. */
  readonly body?: Buffer;
  /** The bot's body passes as it is, compressed or not: it is signed so. */
  readonly opaque?: true;
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
  // Frames are relayed as they are defined, with nothing compressed in them.
  "sec-websocket-extensions",
  // Messages of a stream that are compressed one by one couldn't be searched.
  "grpc-accept-encoding",
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

/**
 * Forwarded with a signed call all the same: no reply can carry a key that never leaves, and clients of
 * S3 fetch large objects in slices only.
 */
const OF_SIGNED = new Set(["range", "if-range"]);

/** Never taken away because Connection names it: then the call would say something else than was matched. */
const END_TO_END = new Set(["content-length", "content-type", "content-encoding", "host"]);

/**
 * The call as the upstream gets it: the secret in exactly the places where the phantom stood, spelled
 * as each place wants it, other headers in their order and case, identity asked for so that the
 * reply can be searched. A body that was compressed goes out as it reads: `content` is decoded
 * already, and what streams is decoded on its way.
 */
export function inject(
  call: Call,
  decision: Decision,
  { secret, aws }: Pick<Credential, "secret" | "aws">,
): Outgoing {
  const value = secret.revealSecret();
  const { placed } = decision;
  const signature = placed.find((each) => each.place.in === "sigv4");
  const target = pathWith(decision, value) + queryWith(call.query, placed, value);
  const byHeader = headersWith(call, placed, value);
  const coded =
    signature === undefined &&
    call.body !== "none" &&
    readCoding(valuesOf(call.headers, "content-encoding")) !== "identity";
  const body = call.content && bodyWith(call.content.bytes, placed, value);
  const reframed = coded || body !== undefined;
  const hop = connectionNames(call.headers);
  const headers: Header[] = [["Host", hostHeaders(decision.granted)[0]]];
  for (const [name, sent] of call.headers) {
    const lower = name.toLowerCase();
    if (reframed && (lower === "content-length" || (coded && lower === "content-encoding")))
      continue;
    const replaced = byHeader.get(lower);
    if (replaced !== undefined) headers.push([name, replaced]);
    else if (signature !== undefined && OF_SIGNED.has(lower)) headers.push([name, sent]);
    else if (!NOT_FORWARDED.has(lower) && (!hop.has(lower) || END_TO_END.has(lower)))
      headers.push([name, sent]);
  }
  if (call.upgrade !== undefined)
    headers.push(["Connection", "Upgrade"], ["Upgrade", call.upgrade]);
  headers.push(["Accept-Encoding", "identity"]);
  const { method } = call;
  const finish = (outgoing: Outgoing): Outgoing =>
    signature !== undefined && "payload" in signature && aws !== undefined
      ? signOutgoing({ ...outgoing, opaque: true }, signature, aws, Date.now())
      : outgoing;
  if (body !== undefined) {
    headers.push(["Content-Length", String(body.length)]);
    return finish({ method, target, headers, body });
  }
  if (call.body === "chunked" || coded) headers.push(["Transfer-Encoding", "chunked"]);
  // A method that usually has a body gets chunked framing from Node unless told that there is none.
  else if (
    call.body === "none" &&
    !["GET", "HEAD", "OPTIONS"].includes(method) &&
    !headers.some(([name]) => name.toLowerCase() === "content-length")
  )
    headers.push(["Content-Length", "0"]);
  return finish({ method, target, headers });
}

/** Headers of a reply without those that belong to the one connection only. */
export function withoutHopByHop(
  headers: readonly Header[],
  alsoWithout: readonly string[] = [],
): Header[] {
  const hop = connectionNames(headers);
  const out: Header[] = [];
  for (const header of headers) {
    const lower = header[0].toLowerCase();
    if (!NOT_FORWARDED.has(lower) && !hop.has(lower) && !alsoWithout.includes(lower))
      out.push(header);
  }
  return out;
}

const ONLY_PERSISTENCE: ReadonlySet<string> = new Set(["keep-alive", "close"]);

/** Lower-case names that Connection headers list. */
function connectionNames(headers: readonly Header[]): ReadonlySet<string> {
  const lists = valuesOf(headers, "connection");
  // Nearly all say this or nothing.
  if (lists.every((list) => list === "keep-alive" || list === "close")) return ONLY_PERSISTENCE;
  return new Set(lists.flatMap((list) => list.split(",")).map((name) => name.trim().toLowerCase()));
}
