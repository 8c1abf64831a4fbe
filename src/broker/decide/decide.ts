import type { Place } from "../../plan/index.ts";
import type { Granted, InjectBrokerGrant } from "../Deployment.ts";
import type { Call } from "../match.ts";
import type { PhantomIndex } from "../phantoms.ts";
import { isRefusal, refuse, type Refusal } from "../Refusal.ts";
import { chooseRule } from "../rules/chooseRule.ts";
import { findCredential } from "./findCredential.ts";
import { findStray } from "./findStray.ts";

/** A call that may go out, and with what. */
export interface Decision {
  readonly granted: Granted & { readonly grant: InjectBrokerGrant };
  /** The rule that allows it, or that says to ask. */
  readonly rule: string;
  readonly verdict: "allow" | "ask";
  /** Where the phantom stands and the secret has to; empty for a call without any credential. */
  readonly placed: readonly Place[];
  /** The path with the credential replaced by `{secret}`: safe to record. */
  readonly path: string;
}

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
    const chosen = chooseRule(granted, call, found.path, found.placed.length > 0);
    if (found.placed.length > 0) {
      return isRefusal(chosen) ? chosen : { granted, ...chosen, ...found };
    }
    if (!isRefusal(chosen)) anonymous ??= { granted, ...chosen, ...found };
    else if (chosen.refused === "denied") refusal = chosen;
  }
  // A credential that some candidate took offence at never goes out under the cover of another one's anonymous rule.
  return refusal.refused === "no-credential" && anonymous !== undefined ? anonymous : refusal;
}

function isInject(granted: Granted): granted is Granted & { readonly grant: InjectBrokerGrant } {
  return granted.grant.kind === "inject";
}
