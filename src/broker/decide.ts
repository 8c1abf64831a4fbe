import type { Place, Rule } from "../plan/index.ts";
import type { Granted, InjectBrokerGrant } from "./Deployment.ts";
import { valuesOf, type Call } from "./match.ts";
import { formatRule, matchRule } from "./matchRule.ts";
import { findInPath } from "./pathPlace.ts";
import { decodePercent, equalInConstantTime, type PhantomIndex } from "./phantoms.ts";
import { isRefusal, refuse, type Refusal } from "./Refusal.ts";

/** A call that may go out, and with what. */
export interface Decision {
  readonly granted: Granted & { readonly grant: InjectBrokerGrant };
  /** The rule that allowed it. */
  readonly rule: string;
  /** Where the phantom stands and the secret has to; empty for a call without any credential. */
  readonly placed: readonly Place[];
  /** The path with the credential replaced by `{secret}`: safe to record. */
  readonly path: string;
}

/**
 * Headers that carry a credential for some service. One that the grant does not name would reach the
 * upstream as somebody else's account, so it is refused rather than forwarded.
 */
const CREDENTIAL_HEADERS = [
  "authorization",
  "proxy-authorization",
  "cookie",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
  "x-auth-token",
];

/**
 * Decides about one call: the phantom must stand in the places the grant names and nowhere else, no
 * other credential may stand anywhere, and a rule must allow method and path. Default is no.
 *
 * @param candidates the grants that have the dialled host; the phantom chooses among them.
 */
export function decide(
  candidates: readonly Granted[],
  call: Call,
  phantoms: PhantomIndex,
): Decision | Refusal {
  let refusal: Refusal = refuse("no-credential");
  let anonymous: Decision | undefined;
  for (const granted of candidates) {
    if (!isInject(granted)) continue;
    const found = findCredential(granted.grant, call);
    if (isRefusal(found)) {
      // "Some other credential" says more than "none", whichever candidate it was found for.
      refusal = found;
      continue;
    }
    const stray = findStray(granted.grant, call, found, phantoms);
    if (stray !== undefined) {
      if (found.placed.length > 0) return stray;
      refusal = stray;
      continue;
    }
    const rules = found.placed.length > 0 ? granted.grant.rules : granted.grant.anonymous;
    const rule = rules.find((each: Rule) => matchRule(each, call.method, found.path));
    if (found.placed.length > 0) {
      if (rule === undefined) return refuse("not-allowed");
      return { granted, rule: formatRule(rule), placed: found.placed, path: found.path };
    }
    if (rule !== undefined)
      anonymous ??= { granted, rule: formatRule(rule), placed: [], path: found.path };
  }
  // A credential that some candidate took offence at never goes out under the cover of another one's anonymous rule.
  return refusal.refused === "no-credential" && anonymous !== undefined ? anonymous : refusal;
}

interface Found {
  readonly placed: readonly Place[];
  readonly path: string;
}

/** Looks at the named places only. Something in one of them that is not the phantom is refused. */
function findCredential(grant: InjectBrokerGrant, call: Call): Found | Refusal {
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

/** Looks everywhere but in the places where the phantom rightly stood. */
function findStray(
  grant: InjectBrokerGrant,
  call: Call,
  found: Found,
  phantoms: PhantomIndex,
): Refusal | undefined {
  const named = new Set(
    grant.places.flatMap((place) => (place.in === "header" ? [place.name] : [])),
  );
  const texts = [found.path, call.query, call.method];
  for (const [name, value] of call.headers) {
    const lower = name.toLowerCase();
    texts.push(name);
    if (!named.has(lower)) texts.push(value);
    if (
      !named.has(lower) &&
      CREDENTIAL_HEADERS.includes(lower) &&
      phantoms.find(value) === undefined
    ) {
      return refuse("foreign-credential");
    }
  }
  for (const text of texts) {
    const phantom = phantoms.find(text);
    if (phantom !== undefined)
      return refuse(phantom === grant.phantom ? "phantom-misplaced" : "foreign-phantom");
  }
  return undefined;
}

function isInject(granted: Granted): granted is Granted & { readonly grant: InjectBrokerGrant } {
  return granted.grant.kind === "inject";
}
