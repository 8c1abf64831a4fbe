import type { Place } from "../../plan/index.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { valuesOf, type Call } from "../match.ts";
import { equalInConstantTime } from "../phantoms.ts";
import { refuse } from "../Refusal.ts";
import { NOTHING_SEEN, type Finding, type Placed } from "./Placed.ts";

type HeaderPlace = Extract<Place, { in: "header" }>;
type BasicPlace = Extract<Place, { in: "basic" }>;

/** Lower-case names of the headers that a grant's places read, the cookies' one included. */
export function headersOf(places: readonly Place[]): Set<string> {
  return new Set(
    places.flatMap((place) => {
      if (place.in === "header") return [place.name];
      if (place.in === "basic" || place.in === "sigv4") return ["authorization"];
      return place.in === "cookie" ? ["cookie"] : [];
    }),
  );
}

/** Looks into named headers, and Authorization for Basic. Each may stand once, and hold the phantom or not be there. */
export function findInHeaders(grant: InjectBrokerGrant, call: Call): Finding {
  const headers = grant.places.filter((place): place is HeaderPlace => place.in === "header");
  const basics = grant.places.filter((place): place is BasicPlace => place.in === "basic");
  if (headers.length === 0 && basics.length === 0) return NOTHING_SEEN;
  const placed: Placed[] = [];
  const beside: string[] = [];
  for (const name of headersOf([...headers, ...basics])) {
    const values = valuesOf(call.headers, name);
    const [value] = values;
    if (value === undefined) continue;
    if (values.length > 1) return refuse("credential-repeated");
    const place = headers.find(
      (each) => each.name === name && carries(value, each.prefix, grant.phantom),
    );
    if (place !== undefined) {
      placed.push({ place });
      continue;
    }
    if (name !== "authorization" || basics.length === 0 || !/^basic\b/i.test(value))
      return refuse("foreign-credential");
    const found = findInBasic(basics, value, grant.phantom);
    if ("refused" in found) return found;
    placed.push(...found.placed);
    beside.push(...found.beside);
  }
  return { placed, beside };
}

/** An auth scheme is case-insensitive (RFC 9110 section 11.1); the credential is not. */
export function carries(value: string, prefix: string, phantom: string): boolean {
  const start = value.slice(0, prefix.length);
  return (
    start.toLowerCase() === prefix.toLowerCase() &&
    equalInConstantTime(value.slice(prefix.length), phantom)
  );
}

function findInBasic(places: readonly BasicPlace[], value: string, phantom: string): Finding {
  const pair = readBasic(value);
  if (pair === undefined) return refuse("credential-ambiguous");
  const placed: Placed[] = [];
  for (const place of places) {
    const [own, other] =
      place.part === "user" ? [pair.user, pair.password] : [pair.password, pair.user];
    if (equalInConstantTime(own, phantom)) placed.push({ place, other });
  }
  if (placed.length === 0) return refuse("foreign-credential");
  return {
    placed,
    beside:
      placed.length === 2 ? [] : placed.flatMap((each) => ("other" in each ? [each.other] : [])),
  };
}

/**
 * User and password of Basic credentials (RFC 7617), one character per byte. The user ends at the
 * first colon. `undefined` where decoders could differ: other blanks, missing or wrong padding,
 * stray bits, the URL alphabet, no colon, control characters.
 */
export function readBasic(
  value: string,
): { readonly user: string; readonly password: string } | undefined {
  const encoded = /^basic ([A-Za-z0-9+/]+={0,2})$/i.exec(value)?.[1];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.toString("base64") !== encoded) return undefined;
  const text = bytes.toString("latin1");
  const colon = text.indexOf(":");
  if (colon < 0 || !/^[\x20-\x7e\x80-\xff]*$/.test(text)) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
