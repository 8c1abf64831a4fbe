import type { BodyRule, Rule } from "../../plan/index.ts";
import { readForm } from "../body/form.ts";
import { isAlike } from "../decide/alike.ts";
import type { Granted, InjectBrokerGrant } from "../Deployment.ts";
import type { Call } from "../match.ts";
import { refuse, type Refusal } from "../Refusal.ts";
import { fitsUnit, readUnits, type BodyUnit } from "./bodyUnits.ts";
import { formatRule } from "./formatRule.ts";
import { matchRule, type RuleHead } from "./matchRule.ts";

/** What a grant's rules say of a call that may be made or asked about. */
export interface Chosen {
  readonly verdict: "allow" | "ask";
  /** The rule, as `formatRule` writes it; several, where a batch needs them, with commas between. */
  readonly rule: string;
}

/**
 * Finds the rule for a call: `deny` wins over `ask`, `ask` over `allow`, and nothing is made that no
 * rule of `ask` or `allow` names. What a body asks for several times over is judged one by one: all
 * of it must be allowed, and one part that is denied, or to be asked about, is enough. A body that
 * can't be read fits every rule to deny or ask, and none to allow.
 *
 * @param path the path with its credential replaced by `{secret}`.
 * @param authenticated whether the phantom stood in the call; without it only `anonymous` allows.
 */
export function chooseRule(
  { grant, host }: Granted & { readonly grant: InjectBrokerGrant },
  call: Call,
  path: string,
  authenticated: boolean,
): Chosen | Refusal {
  if (namesAnotherMethod(call)) return refuse("not-allowed");
  const head: RuleHead = { method: call.method, path, query: call.query, host: host.name };
  const body = new Units(call);
  if (forbidding(grant.deny, head, body).length > 0) return refuse("denied");

  const allowed = authenticated ? grant.rules : grant.anonymous;
  const asked = forbidding(grant.ask, head, body);
  const named = authenticated && asked.length > 0 ? [...(grant.ask ?? []), ...allowed] : allowed;
  const candidates = named.filter((rule) => matchRule(rule, head, "allow"));
  const covering = cover(candidates, body);
  if (covering === undefined) {
    const unread = candidates.some((rule) => rule.body && body.of(rule.body.kind) === undefined);
    return refuse(unread ? "body-unreadable" : "not-allowed");
  }
  return asked.length > 0
    ? { verdict: "ask", rule: asked.map(formatRule).join(", ") }
    : { verdict: "allow", rule: covering.map(formatRule).join(", ") };
}

/** Names of query fields by which frameworks (Rails, Laravel, Symfony, OData) let a call be one of another method. */
const METHOD_FIELDS = [
  "_method",
  "_httpmethod",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
];

/** Whether the query says another method than the call: no rule is about such a thing. In a body it isn't looked for. */
function namesAnotherMethod({ method, query }: Call): boolean {
  if (!/method|%/i.test(query)) return false;
  const fields = readForm(Buffer.from(query.slice(1).replaceAll(";", "&"), "latin1")) ?? [];
  return fields.some(
    ([name, value]) => METHOD_FIELDS.some((each) => isAlike(name, each)) && value !== method,
  );
}

/** The rules that fit some part of a call in some reading. */
function forbidding(rules: readonly Rule[] | undefined, head: RuleHead, body: Units): Rule[] {
  return (rules ?? []).filter((rule) => {
    if (!matchRule(rule, head, "forbid")) return false;
    if (rule.body === undefined) return true;
    const { body: wanted } = rule;
    return body.of(wanted.kind)?.some((unit) => fitsUnit(wanted, unit, "forbid")) ?? true;
  });
}

/** The rules that together allow all parts of a call: one without a body, or for each part one of the same kind. */
function cover(candidates: readonly Rule[], body: Units): readonly Rule[] | undefined {
  const whole = candidates.find((rule) => rule.body === undefined);
  if (whole !== undefined) return [whole];
  for (const kind of new Set(candidates.flatMap((rule) => rule.body?.kind ?? []))) {
    const units = body.of(kind);
    const [first] = candidates.filter((rule) => rule.body?.kind === kind);
    if (units === undefined || first === undefined) continue;
    // What has no body calls no tool; of the other kinds it is nothing that a rule could be about.
    if (units.length === 0 && kind === "mcp") return [first];
    const used = units.map((unit) =>
      candidates.find((rule) => rule.body !== undefined && fitsUnit(rule.body, unit, "allow")),
    );
    if (used.length > 0 && used.every((rule) => rule !== undefined)) return [...new Set(used)];
  }
  return undefined;
}

/** A body's parts by kind of rule, each read once and only where a rule wants it. */
class Units {
  readonly #call: Call;
  readonly #read = new Map<BodyRule["kind"], readonly BodyUnit[] | undefined>();

  constructor(call: Call) {
    this.#call = call;
  }

  of(kind: BodyRule["kind"]): readonly BodyUnit[] | undefined {
    if (!this.#read.has(kind)) this.#read.set(kind, readUnits(kind, this.#call));
    return this.#read.get(kind);
  }
}
