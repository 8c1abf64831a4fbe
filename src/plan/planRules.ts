import type { EntryRule } from "../catalogue/index.ts";
import type { Fault, Path } from "../declaration/index.ts";
import { covers, mayCarry } from "./covers.ts";
import { expandRule, type RuleUse } from "./expandRule.ts";
import type { HostPlan, Place, Rule } from "./Plan.ts";

/** Stands in a grant's `allow` for the service's own list. */
export const OWN_RULES = "...";

/** What the rules of a service or grant are about. */
export interface RuleScope {
  readonly hosts: readonly HostPlan[];
  readonly places: readonly Place[];
  /** The one of `hosts` that git reaches. */
  readonly git: string | undefined;
}

/** The rules that one declared entry made, and where it stands. */
export interface PlannedRule {
  readonly path: Path;
  readonly rules: readonly Rule[];
  /** See `ExpandedRule`. */
  readonly before: readonly Rule[];
}

/** Expands a list of rules; what is wrong with one, or could never fit a call, is a fault at its place. */
export function planRules(
  declared: readonly EntryRule[],
  use: RuleUse,
  scope: RuleScope,
  path: Path,
  faults: Fault[],
): PlannedRule[] {
  const hosts = scope.hosts.map(({ name }) => name);
  return declared.flatMap((entry, index): PlannedRule[] => {
    if (entry === OWN_RULES) return [];
    const at = [...path, index];
    const expanded = expandRule(entry, use, { hosts, git: scope.git });
    if ("wrong" in expanded) {
      faults.push({
        code: "invalid",
        path: at,
        message: `the rule ${expanded.wrong}`,
        hint: 'write a method and a path, as "GET /api/v3/*" or "* /api/**"; see docs/declaration.md',
      });
      return [];
    }
    const all = [...expanded.before, ...expanded.rules];
    const fault = all.map((rule) => neverFits(rule, scope, hosts)).find((each) => each);
    if (fault !== undefined && hosts.length > 0) {
      faults.push({ ...fault, path: at });
      return [];
    }
    return [{ path: at, ...expanded }];
  });
}

function neverFits(
  rule: Rule,
  { places }: RuleScope,
  hosts: readonly string[],
): Omit<Fault, "path"> | undefined {
  if (rule.host !== undefined && !hosts.includes(rule.host)) {
    return {
      code: "no-effect",
      message: `the rule is about host "${rule.host}", which the service doesn't have`,
      hint: `its hosts are ${hosts.join(", ")}`,
    };
  }
  if (rule.path.includes("{secret}") && !mayCarry(rule, places)) {
    return {
      code: "no-effect",
      message: "the rule has {secret} where the service's credential never stands",
      hint: "write the path as the service's documentation has it",
    };
  }
  return undefined;
}

/** Faults for rules that can never allow anything: wholly denied, or about paths without the credential. */
export function checkEffect(
  allowing: readonly PlannedRule[],
  denying: readonly PlannedRule[],
  places: readonly Place[],
  faults: Fault[],
): void {
  const denied = denying.flatMap(({ rules, before }) => [...before, ...rules]);
  for (const { path, rules } of allowing) {
    if (rules.length === 0) continue;
    if (rules.every((rule) => denied.some((other) => covers(other, rule)))) {
      faults.push({
        code: "no-effect",
        path,
        message: "everything this rule is about is denied",
        hint: "remove it here, or what denies it",
      });
    } else if (places.length > 0 && !rules.some((rule) => mayCarry(rule, places))) {
      faults.push({
        code: "no-effect",
        path,
        message: "the rule's path has no place for the credential, which stands in the path",
        hint: "begin it as the service's own rules do (seawall service show), with {secret}",
      });
    }
  }
}

export function allRules(planned: readonly PlannedRule[]): Rule[] {
  return planned.flatMap(({ before, rules }) => [...before, ...rules]);
}
