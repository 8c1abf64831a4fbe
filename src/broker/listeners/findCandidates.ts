import type { BrokerParts } from "../call/BrokerParts.ts";
import type { Granted } from "../Deployment.ts";
import { identify, type Arrival } from "../identify.ts";
import { isRefusal, type Refusal } from "../Refusal.ts";

/** What was dialled: hosts that a grant has there, or one that the owner may be asked about. */
export function findCandidates(parts: BrokerParts, arrival: Arrival): readonly Granted[] | Refusal {
  const granted = identify(parts.inForce()?.deployment.bots.get(arrival.bot), arrival);
  if (!isRefusal(granted)) return granted;
  const unknown = parts.unknown.grantedFor(arrival);
  return unknown === undefined ? granted : [unknown];
}
