import type { Granted, InjectBrokerGrant } from "../Deployment.ts";
import { readCoding } from "../body/coding.ts";
import { valuesOf, type Call } from "../match.ts";
import type { PhantomIndex } from "../phantoms.ts";
import { isRefusal, refuse, type Refusal } from "../Refusal.ts";
import { chooseRule } from "../rules/chooseRule.ts";
import { isSigV4 } from "./awsPlace.ts";
import { findCredential } from "./findCredential.ts";
import { explainForeign, findStray } from "./findStray.ts";
import type { Placed } from "./Placed.ts";

/** A call that may go out, and with what. */
export interface Decision {
  readonly granted: Granted & { readonly grant: InjectBrokerGrant };
  /** The rule that allows it, or that says to ask. */
  readonly rule: string;
  readonly verdict: "allow" | "ask";
  /** Where the phantom stands and the secret has to; empty for a call without any credential. */
  readonly placed: readonly Placed[];
  /** The path with the credential replaced by `{secret}`: safe to record. */
  readonly path: string;
}

/**
 * Decides about one call: the phantom must stand in the places the grant names and nowhere else, no
 * other credential may stand anywhere, and a rule must allow method and path. Default is no.
 *
 * A WebSocket upgrade by a grant whose credential travels in frames needs none in the request; its
 * rules are those of a call with the credential. A call without any credential to a grant that has a
 * challenge is refused with it, so that clients which wait to be asked (git) then send theirs.
 *
 * @param candidates the grants that have the dialled host; the phantom chooses among them.
 */
export function decide(
  candidates: readonly Granted[],
  call: Call,
  phantoms: PhantomIndex,
): Decision | Refusal {
  // What can't be decoded can't be searched for phantoms; what is signed passes as it is.
  const signs = candidates.every(
    ({ grant }) => grant.kind === "inject" && grant.places.some(isSigV4),
  );
  if (
    !signs &&
    call.body !== "none" &&
    readCoding(valuesOf(call.headers, "content-encoding")) === undefined
  )
    return refuse("body-unreadable");
  let refusal: Refusal = refuse("no-credential");
  let without: Decision | undefined;
  for (const granted of candidates) {
    if (!isInject(granted)) continue;
    const { grant } = granted;
    const found = findCredential(grant, call);
    if (isRefusal(found)) {
      // "Some other credential" says more than "none", whichever candidate it was found for.
      refusal =
        found.refused === "foreign-credential" ? explainForeign(grant, call, phantoms) : found;
      continue;
    }
    const stray = findStray(granted, call, found, phantoms);
    if (stray !== undefined) {
      if (found.placed.length > 0) return stray;
      refusal = stray;
      continue;
    }
    const inFrames =
      call.upgrade === "websocket" && grant.places.some((place) => place.in === "websocket");
    const chosen = chooseRule(granted, call, found.path, found.placed.length > 0 || inFrames);
    if (found.placed.length > 0) {
      return isRefusal(chosen) ? chosen : { granted, ...chosen, ...found };
    }
    if (!isRefusal(chosen)) without ??= { granted, ...chosen, ...found };
    else if (chosen.refused === "denied" || inFrames) refusal = chosen;
    else if (refusal.refused === "no-credential" && grant.challenge !== undefined)
      refusal = refuse("no-credential", { challenge: grant.challenge });
  }
  // A credential that some candidate took offence at never goes out under the cover of another one's anonymous rule.
  return refusal.refused === "no-credential" && without !== undefined ? without : refusal;
}

function isInject(granted: Granted): granted is Granted & { readonly grant: InjectBrokerGrant } {
  return granted.grant.kind === "inject";
}
