import type { InjectBrokerGrant } from "../Deployment.ts";
import type { Call } from "../match.ts";
import type { PhantomIndex } from "../phantoms.ts";
import { refuse, type Refusal } from "../Refusal.ts";
import type { Found } from "./findCredential.ts";

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

/** Looks everywhere but in the places where the phantom rightly stood. */
export function findStray(
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
