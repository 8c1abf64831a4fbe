import type { GrantPlan } from "./Plan.ts";

/** A command exists inside where `exec.allow` names it; one that is all there is to its service always does. */
export function withCommand(grant: GrantPlan, wanted: ReadonlySet<string>): GrantPlan {
  if (grant.kind !== "inject" || grant.command === undefined) return grant;
  if (wanted.has(grant.command.name)) return grant;
  const { command: _unwanted, ...rest } = grant;
  return rest;
}
