import type { Granted } from "../Deployment.ts";
import type { Call } from "../match.ts";

/**
 * Whether a call can't be decided from its head alone: some candidate has a place in the body that
 * this body's type can have, a rule about bodies, or checks on messages.
 */
export function needsBody(candidates: readonly Granted[], call: Call): boolean {
  if (call.body === "none") return false;
  return candidates.some(
    ({ grant }) =>
      grant.kind === "inject" &&
      (grant.content !== undefined ||
        [...grant.rules, ...(grant.ask ?? []), ...(grant.deny ?? []), ...grant.anonymous].some(
          (rule) => rule.body !== undefined,
        ) ||
        grant.places.some((place) => ["form", "multipart", "json"].includes(place.in))),
  );
}
