import type { Granted, InjectBrokerGrant } from "../Deployment.ts";
import type { Call } from "../match.ts";
import { refuse, type Refusal } from "../Refusal.ts";
import { formatRule, matchRule } from "./matchRule.ts";

/** What a grant's rules say of a call that may be made or asked about. */
export interface Chosen {
  readonly verdict: "allow" | "ask";
  /** The rule, as it is written. */
  readonly rule: string;
}

/**
 * Finds the rule for a call: `deny` wins over `ask`, `ask` over `allow`, and nothing allows what no
 * rule names.
 *
 * @param path the path with its credential replaced by `{secret}`.
 * @param authenticated whether the phantom stood in the call; without it only `anonymous` allows.
 */
export function chooseRule(
  { grant }: Granted & { readonly grant: InjectBrokerGrant },
  call: Call,
  path: string,
  authenticated: boolean,
): Chosen | Refusal {
  const find = (rules: InjectBrokerGrant["rules"] | undefined) =>
    rules?.find((rule) => matchRule(rule, call.method, path));
  if (find(grant.deny) !== undefined) return refuse("denied");
  const asked = authenticated ? find(grant.ask) : undefined;
  if (asked !== undefined) return { verdict: "ask", rule: formatRule(asked) };
  const allowed = find(authenticated ? grant.rules : grant.anonymous);
  return allowed === undefined
    ? refuse("not-allowed")
    : { verdict: "allow", rule: formatRule(allowed) };
}
