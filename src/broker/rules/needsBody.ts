import type { Place } from "../../plan/index.ts";
import { needsPayload } from "../decide/awsPlace.ts";
import { findInPath } from "../decide/pathPlace.ts";
import type { Granted, InjectBrokerGrant } from "../Deployment.ts";
import { valuesOf, type Call } from "../match.ts";
import { matchRule, type RuleHead } from "./matchRule.ts";

/**
 * Whether a call can't be decided from its head alone: for some candidate this body's type may hold
 * the credential, a rule about bodies fits the head, or messages are sent this way that are to be
 * checked. Other bodies are never collected, they pass as they come.
 */
export function needsBody(candidates: readonly Granted[], call: Call): boolean {
  if (call.body === "none") return false;
  const types = valuesOf(call.headers, "content-type").map((value) => value.toLowerCase());
  return candidates.some(
    ({ grant, host }) =>
      grant.kind === "inject" &&
      (needsPayload(grant, call) ||
        grant.places.some((place) => mayHold(types, place)) ||
        asksForBody(grant, {
          method: call.method,
          path: canonicalPath(grant, call.path),
          query: call.query,
          host: host.name,
        })),
  );
}

function asksForBody(grant: InjectBrokerGrant, head: RuleHead): boolean {
  const { rules, anonymous, ask = [], deny = [], content } = grant;
  return (
    [...rules, ...anonymous].some((rule) => rule.body && matchRule(rule, head, "allow")) ||
    [...ask, ...deny].some((rule) => rule.body && matchRule(rule, head, "forbid")) ||
    (content?.messages ?? []).some((shape) => matchRule(shape, head, "forbid"))
  );
}

/** A type that can't be told is one that may hold it. */
function mayHold(types: readonly string[], place: Place): boolean {
  const [type = ""] = types;
  const unclear = types.length > 1;
  if (place.in === "form") return unclear || type.includes("form-urlencoded");
  if (place.in === "multipart") return unclear || type.includes("multipart/");
  return place.in === "json" && (unclear || type.includes("json"));
}

/** The path with whatever stands in a place for a credential as `{secret}`, be it the phantom or not. */
function canonicalPath(grant: InjectBrokerGrant, path: string): string {
  for (const place of grant.places) {
    const found = place.in === "path" ? findInPath(place.template, path) : undefined;
    if (found !== undefined) return found.canonical;
  }
  return path;
}
