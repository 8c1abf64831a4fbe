import type { Place } from "../../plan/index.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { valuesOf, type Call } from "../match.ts";
import { decodePercent, equalInConstantTime } from "../phantoms.ts";
import { refuse, type Refusal } from "../Refusal.ts";
import { findInPath } from "./pathPlace.ts";

/** Where a grant's phantom rightly stands in a call. */
export interface Found {
  readonly placed: readonly Place[];
  readonly path: string;
}

/** Looks at the named places only. Something in one of them that is not the phantom is refused. */
export function findCredential(grant: InjectBrokerGrant, call: Call): Found | Refusal {
  const placed: Place[] = [];
  let path = call.path;
  for (const name of new Set(
    grant.places.flatMap((place) => (place.in === "header" ? [place.name] : [])),
  )) {
    const values = valuesOf(call.headers, name);
    const [value] = values;
    if (value === undefined) continue;
    if (values.length > 1) return refuse("credential-repeated");
    const place = grant.places.find(
      (each) =>
        each.in === "header" && each.name === name && carries(value, each.prefix, grant.phantom),
    );
    if (place === undefined) return refuse("foreign-credential");
    placed.push(place);
  }
  for (const place of grant.places) {
    if (place.in !== "path") continue;
    const found = findInPath(place.template, path);
    if (found === undefined) continue;
    if (!equalInConstantTime(decodePercent(found.credential), grant.phantom))
      return refuse("foreign-credential");
    placed.push(place);
    path = found.canonical;
    break;
  }
  return { placed, path };
}

/** An auth scheme is case-insensitive (RFC 9110 section 11.1); the credential is not. */
function carries(value: string, prefix: string, phantom: string): boolean {
  const start = value.slice(0, prefix.length);
  return (
    start.toLowerCase() === prefix.toLowerCase() &&
    equalInConstantTime(value.slice(prefix.length), phantom)
  );
}
