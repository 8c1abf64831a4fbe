import type { InjectBrokerGrant } from "../Deployment.ts";
import { valuesOf, type Call } from "../match.ts";
import { equalInConstantTime } from "../phantoms.ts";
import { refuse } from "../Refusal.ts";
import { isAlike } from "./alike.ts";
import { NOTHING_SEEN, type Finding, type Placed } from "./Placed.ts";

/** A pair as RFC 6265 section 4.1.1 has servers write it: no quotes, blanks, commas, backslashes. */
const PAIR = /^([!#$%&'*+.^_`|~A-Za-z0-9-]+)=([\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*)$/;

/**
 * Looks into named cookies. There may be one Cookie header, in the one form that RFC 2109, 2965 and
 * 6265 read alike: pairs between `; `, no name beginning with a dollar sign. Cookies of other
 * names pass: services set them for languages and against forgery.
 */
export function findInCookies(grant: InjectBrokerGrant, call: Call): Finding {
  const places = grant.places.filter((place) => place.in === "cookie");
  if (places.length === 0) return NOTHING_SEEN;
  const values = valuesOf(call.headers, "cookie");
  const [value] = values;
  if (value === undefined) return NOTHING_SEEN;
  if (values.length > 1) return refuse("credential-repeated");
  const placed: Placed[] = [];
  const beside: string[] = [];
  let at = 0;
  for (const pair of value.split("; ")) {
    const [, name, content] = PAIR.exec(pair) ?? [];
    if (name === undefined || content === undefined || name.startsWith("$"))
      return refuse("credential-ambiguous");
    const place = places.find((each) => isAlike(name, each.name));
    const end = at + pair.length;
    if (place === undefined) beside.push(pair);
    else {
      if (name !== place.name) return refuse("credential-ambiguous");
      if (placed.some((each) => each.place === place)) return refuse("credential-repeated");
      if (!equalInConstantTime(content, grant.phantom)) return refuse("foreign-credential");
      placed.push({ place, start: end - content.length, end });
    }
    at = end + "; ".length;
  }
  return { placed, beside };
}
