import type { ServiceEntry } from "../catalogue/index.ts";
import type { Declaration, DeclaredGrant, Edit, Path } from "../declaration/index.ts";
import { covers } from "./covers.ts";
import { formatRule } from "./formatRule.ts";
import type { InjectGrant, Rule } from "./Plan.ts";
import { gitHost } from "./planGrant.ts";
import { OWN_RULES, planRules, type PlannedRule } from "./planRules.ts";
import { resolveServices } from "./resolveServices.ts";

/** What was asked, as far as it matters for what is to be declared. */
export interface AskedCall {
  readonly bot: string;
  readonly grant?: string;
  /** `name:port`. */
  readonly host: string;
  /** As the broker wrote it: rules with commas between, `unknown-host`, or `link`. */
  readonly rule: string;
  readonly detail?: string;
}

/**
 * The changes of a declaration after which the owner isn't asked about such calls any more: a host
 * becomes a tunnel, a link's host one of `links`, and the rules that say to ask move to `allow`,
 * where the service's own list doesn't allow as much already.
 *
 * @param granted the grant as it is planned now, for rules.
 * @returns in plain words why there is no such change, where there is none.
 */
export function allowAlways(
  declaration: Declaration,
  catalogue: ReadonlyMap<string, ServiceEntry>,
  asked: AskedCall,
  granted: InjectGrant | undefined,
): readonly Edit[] | { readonly wrong: string } {
  const bot = declaration.bots[asked.bot];
  if (bot === undefined) return { wrong: `the declaration has no bot "${asked.bot}"` };
  const path = ["bots", asked.bot, "grants"];
  if (asked.rule === "unknown-host") return allowHost(bot.grants, asked.host, path);
  const grant = asked.grant === undefined ? undefined : bot.grants[asked.grant];
  if (asked.grant === undefined || grant === undefined || granted === undefined)
    return { wrong: "the declaration doesn't have this grant any more" };
  const at = [...path, asked.grant];
  if (asked.rule === "link") return allowLinks(grant, asked.detail ?? "", at);
  const service = resolveServices(declaration.services, catalogue, []).get(granted.service);
  if (service === undefined) return { wrong: "the declaration doesn't have this service any more" };
  const { hosts, places, rules } = granted;
  const git = gitHost(service, hosts)?.name;
  const planned = planRules(grant.ask ?? [], "forbid", { hosts, places, git }, at, []);
  const texts = asked.rule.split(", ");
  const moved = planned.filter((each) =>
    each.rules.some((rule) => texts.includes(formatRule(rule))),
  );
  if (moved.length === 0) return { wrong: "the rule that says to ask isn't in the declaration" };
  return moveRules(grant, moved, rules, at);
}

function allowHost(
  grants: Readonly<Record<string, DeclaredGrant>>,
  host: string,
  path: Path,
): readonly Edit[] | { readonly wrong: string } {
  const [, name = "", port = ""] = /^(.+):(\d+)$/.exec(host) ?? [];
  if (!/^[a-z0-9.-]+\.[a-z][a-z0-9-]*$/.test(name))
    return { wrong: "only a host with a name can be granted for good" };
  if (Object.hasOwn(grants, name)) return { wrong: `host "${name}" is granted in another way` };
  return [{ kind: "set", path, key: name, value: { tunnel: Number(port) } }];
}

function allowLinks(
  grant: DeclaredGrant,
  detail: string,
  path: Path,
): readonly Edit[] | { readonly wrong: string } {
  const hosts = detail.split(", ");
  const links = grant.content?.links;
  if (links === undefined || !hosts.every((host) => /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(host)))
    return { wrong: "the link's host isn't one that can be listed" };
  return hosts
    .filter((host) => !links.includes(host))
    .map((value): Edit => ({ kind: "append", path: [...path, "content", "links"], value }));
}

function moveRules(
  grant: DeclaredGrant,
  moved: readonly PlannedRule[],
  allowed: readonly Rule[],
  path: Path,
): readonly Edit[] {
  const { allow, ask = [] } = grant;
  const indices = moved.map((rule) => Number(rule.path.at(-1)));
  const missing = moved
    .filter(({ rules }) => !rules.every((rule) => allowed.some((other) => covers(other, rule))))
    .map((rule) => ask[Number(rule.path.at(-1))]);
  const added: readonly Edit[] =
    missing.length > 0 && allow === undefined
      ? [{ kind: "set", path, key: "allow", value: [OWN_RULES, ...missing] }]
      : missing.map((value) => ({ kind: "append", path: [...path, "allow"], value }));
  return [
    ...indices
      .toSorted((a, b) => b - a)
      .map((index): Edit => ({ kind: "remove", path: [...path, "ask"], index })),
    ...added,
  ];
}
