import type { Place } from "../../plan/index.ts";
import { sha256Hex } from "../aws/canonicalRequest.ts";
import { EMPTY_PAYLOAD, isSignable } from "../aws/payload.ts";
import { readAuthorization } from "../aws/readAuthorization.ts";
import { readAwsTime, signatureOf } from "../aws/signature.ts";
import { readCoding } from "../body/coding.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { valuesOf, type Call } from "../match.ts";
import { equalInConstantTime } from "../phantoms.ts";
import { refuse } from "../Refusal.ts";
import { NOTHING_SEEN, type Finding } from "./Placed.ts";

export type SigV4Place = Extract<Place, { in: "sigv4" }>;

const PAYLOAD_HEADER = "x-amz-content-sha256";

export function isSigV4(place: Place): place is SigV4Place {
  return place.in === "sigv4";
}

/**
 * Looks for a signature made by the bot's own keys, the phantoms, and checks it in full: whoever made it
 * holds them, and reads the request exactly as it is read here, so that a signature by the real keys
 * says nothing that the bot's didn't. How old it is, is for `isSignedNow` to say.
 */
export function findInSignature(grant: InjectBrokerGrant, call: Call): Finding {
  const places = grant.places.filter(isSigV4);
  const [any] = places;
  if (any === undefined) return NOTHING_SEEN;
  if (/[?&](?:x-amz-(?:signature|credential|algorithm)|awsaccesskeyid)=/i.test(call.query))
    return refuse("aws-presigned");
  const values = valuesOf(call.headers, "authorization");
  const [value] = values;
  if (value === undefined) return NOTHING_SEEN;
  if (values.length > 1) return refuse("credential-repeated");
  if (!value.startsWith("AWS4-")) return refuse("foreign-credential");
  const read = readAuthorization(value);
  if (read === undefined) return refuse("aws-signature");
  if (!equalInConstantTime(read.keyId, grant.phantom)) return refuse("foreign-credential");
  const place = places.find(
    ({ region, service }) => region === read.region && service === read.service,
  );
  if (place === undefined) return refuse("aws-scope");

  const [time = "", ...times] = valuesOf(call.headers, "x-amz-date");
  const at = readAwsTime(time);
  if (at === undefined || times.length > 0 || !time.startsWith(read.date))
    return refuse("aws-signature");
  const there = new Set(call.headers.map(([name]) => name.toLowerCase()));
  const unsigned = [...there].filter((name) => name.startsWith("x-amz-") || name === "host");
  const { signed } = read;
  if (unsigned.some((name) => !signed.includes(name)) || signed.some((name) => !there.has(name)))
    return refuse("aws-signature");

  const payload = payloadOf(call);
  if (payload === undefined) return refuse("aws-payload");
  const { method, path, query, headers } = call;
  const expected = signatureOf(
    grant.phantomSecret ?? "",
    { method, path, query, headers, signed, payload, service: place.service },
    { time, region: place.region, service: place.service },
  );
  if (grant.phantomSecret === undefined || !equalInConstantTime(read.signature, expected))
    return refuse("aws-signature");
  return { placed: [{ place, signed, at, payload }], beside: [] };
}

/** Whether the body has to be read before the signature can be checked: its hash stands nowhere. */
export function needsPayload(grant: InjectBrokerGrant, call: Call): boolean {
  return grant.places.some(isSigV4) && valuesOf(call.headers, PAYLOAD_HEADER).length === 0;
}

/** What of the body is signed; `undefined` where that can't be signed anew, or isn't so. */
function payloadOf(call: Call): string | undefined {
  const { body, content, headers } = call;
  const [claimed, ...more] = valuesOf(headers, PAYLOAD_HEADER);
  if (more.length > 0) return undefined;
  // What was decoded isn't the body that the signature is about.
  const coded = readCoding(valuesOf(headers, "content-encoding")) !== "identity";
  if (content !== undefined && coded) return undefined;
  const hash = body === "none" ? EMPTY_PAYLOAD : content && sha256Hex(content.bytes);
  if (claimed === undefined) return hash;
  if (!isSignable(claimed)) return undefined;
  return hash === undefined || claimed.length !== hash.length || claimed === hash
    ? claimed
    : undefined;
}

/** AWS takes signatures that are at most fifteen minutes old, or of the future. */
const MOST_SKEW_MS = 15 * 60_000;

export function isSignedNow(at: number, now: number): boolean {
  return Math.abs(now - at) <= MOST_SKEW_MS;
}
