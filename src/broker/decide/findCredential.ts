import type { InjectBrokerGrant } from "../Deployment.ts";
import type { Call } from "../match.ts";
import { decodePercent, equalInConstantTime } from "../phantoms.ts";
import { isRefusal, refuse, type Refusal } from "../Refusal.ts";
import { findInSignature } from "./awsPlace.ts";
import { findInBody } from "./bodyPlaces.ts";
import { findInCookies } from "./cookiePlaces.ts";
import { findInHeaders } from "./headerPlaces.ts";
import { findInPath } from "./pathPlace.ts";
import type { Finding, Placed } from "./Placed.ts";
import { findInQuery } from "./queryPlaces.ts";

/** Where a grant's phantom rightly stands in a call. */
export interface Found {
  readonly placed: readonly Placed[];
  /** With `{secret}` for the credential. */
  readonly path: string;
  /** What stands beside the phantom in the places, to be searched for others. */
  readonly beside: readonly string[];
}

/**
 * Looks at the named places only. Something in one of them that is not the phantom is refused, and
 * whatever some server might take for such a place. The phantom may stand in several at once.
 */
export function findCredential(grant: InjectBrokerGrant, call: Call): Found | Refusal {
  const placed: Placed[] = [];
  const beside: string[] = [];
  for (const look of [findInSignature, findInHeaders, findInCookies, findInQuery, findInBody]) {
    const finding: Finding = look(grant, call);
    if (isRefusal(finding)) return finding;
    placed.push(...finding.placed);
    beside.push(...finding.beside);
  }
  for (const place of grant.places) {
    if (place.in !== "path") continue;
    const found = findInPath(place.template, call.path);
    if (found === undefined) continue;
    if (!equalInConstantTime(decodePercent(found.credential), grant.phantom))
      return refuse("foreign-credential");
    placed.push({ place });
    return { placed, path: found.canonical, beside };
  }
  return { placed, path: call.path, beside };
}
