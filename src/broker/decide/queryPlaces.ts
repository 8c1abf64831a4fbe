import type { InjectBrokerGrant } from "../Deployment.ts";
import type { Call } from "../match.ts";
import { decodePercent, equalInConstantTime } from "../phantoms.ts";
import { refuse } from "../Refusal.ts";
import { isAlike } from "./alike.ts";
import { NOTHING_SEEN, type Finding, type Placed } from "./Placed.ts";

/**
 * Looks for named fields of the query. Each may stand once. Names and values are decoded once, a plus
 * sign being a blank. Where a semicolon would separate fields too, as it does for some servers, and
 * a named field came to light by that, the query is refused.
 */
export function findInQuery(grant: InjectBrokerGrant, call: Call): Finding {
  const places = grant.places.filter((place) => place.in === "query");
  if (places.length === 0 || call.query.length < 2) return NOTHING_SEEN;
  const placed: Placed[] = [];
  for (const field of readQuery(call.query, "&")) {
    const place = places.find((each) => isAlike(field.name, each.name));
    if (place === undefined) continue;
    if (field.name !== place.name) return refuse("credential-ambiguous");
    if (placed.some((each) => each.place === place)) return refuse("credential-repeated");
    if (!equalInConstantTime(field.value, grant.phantom)) return refuse("foreign-credential");
    placed.push({ place, start: field.start, end: field.end });
  }
  const otherwise = readQuery(call.query, /[&;]/).filter(({ name }) =>
    places.some((place) => isAlike(name, place.name)),
  );
  return otherwise.length === placed.length
    ? { placed, beside: [] }
    : refuse("credential-ambiguous");
}

export interface QueryField {
  readonly name: string;
  readonly value: string;
  /** Where the value stands, as sent: offsets in the query with its `?`. */
  readonly start: number;
  readonly end: number;
}

/** The fields of a query that begins with `?`, one character per decoded byte. */
export function readQuery(query: string, separator: "&" | RegExp): QueryField[] {
  let at = 1;
  return query
    .slice(1)
    .split(separator)
    .map((pair) => {
      const equals = pair.indexOf("=");
      const name = decodeField(equals < 0 ? pair : pair.slice(0, equals));
      const start = equals < 0 ? at + pair.length : at + equals + 1;
      const end = at + pair.length;
      at = end + 1;
      return { name, value: decodeField(query.slice(start, end)), start, end };
    });
}

function decodeField(text: string): string {
  return /[+%]/.test(text) ? decodePercent(text.replaceAll("+", " ")) : text;
}
