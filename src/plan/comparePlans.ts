import { canonical } from "./canonical.ts";
import { formatRule } from "./formatRule.ts";
import type {
  OpenClawPlan,
  BotPlan,
  GrantPlan,
  InjectGrant,
  Json,
  LimitsPlan,
  MintedSecret,
  Plan,
  ResourcesPlan,
  Rule,
} from "./Plan.ts";

/** One thing that another plan changes, for people. */
export interface PlanChange {
  /** One line, as `basecamp reaches api.example.com:443 (grant "example")`. */
  readonly text: string;
  /** Whether somebody may do, reach or know more by it. What can't be told counts as more. */
  readonly loosens: boolean;
}

/**
 * What changes from one plan to another: users, reach, secrets, commands and whatever else. Nothing
 * that differs goes unmentioned.
 *
 * @param before `undefined`: nothing was deployed
 */
export function comparePlans(before: Plan | undefined, after: Plan): PlanChange[] {
  const old = new Map((before?.bots ?? []).map((bot) => [bot.name, bot]));
  const next = new Map(after.bots.map((bot) => [bot.name, bot]));
  return [
    ...[...old.values()].flatMap((bot) => (next.has(bot.name) ? [] : botGone(bot))),
    ...after.bots.flatMap((bot) => {
      const there = old.get(bot.name);
      return there === undefined ? botNew(bot) : compareBots(there, bot);
    }),
    ...compareSecrets(before, after),
    ...compareMinted(before?.minted, after.minted),
    ...other("the deployment", surroundings(before), surroundings(after)),
  ];
}

function more(text: string): PlanChange {
  return { text, loosens: true };
}

function less(text: string): PlanChange {
  return { text, loosens: false };
}

function botNew(bot: BotPlan): PlanChange[] {
  const { name } = bot;
  return [
    more(`new bot ${name}, a user of its own, on 127.0.0.1:${bot.ingress.port}`),
    ...bot.grants.flatMap((grant) => more(`${name} reaches ${reach(grant)}`)),
    ...bot.commands.map((command) => more(`${name} may run ${command}`)),
    ...bot.concessions.map((concession) => more(`${name}'s wall may go without: ${concession}`)),
    ...(bot.unknownHosts === undefined ? [] : [more(`${name} may ask for hosts nobody granted`)]),
  ];
}

function botGone({ name }: BotPlan): PlanChange[] {
  return [less(`bot ${name} goes; its user and folder stay`)];
}

/** A container is no part of the bot's wall, and what runs in it isn't granted one by one. */
function compareAgentTools(name: string, was: OpenClawPlan, is: OpenClawPlan): PlanChange[] {
  const image = (): PlanChange[] => {
    if (was.agentImage === is.agentImage) return [];
    return is.agentImage === undefined
      ? [less(`${name}'s agents have no containers`)]
      : [more(`${name}'s agents may run commands in containers of ${is.agentImage}`)];
  };
  const tools = (): PlanChange[] => {
    if (was.agentTools === is.agentTools) return [];
    switch (is.agentTools) {
      case undefined:
        return [
          more(`${name}'s new agents have their tools in its own wall, unless told otherwise`),
        ];
      case "wall":
        return [less(`${name}'s new agents have a wall of their own for their tools`)];
      case "podman": {
        const text = `${name}'s new agents have their tools in containers`;
        return [was.agentTools === "wall" ? more(text) : less(text)];
      }
      default:
        return is.agentTools satisfies never;
    }
  };
  return [...image(), ...tools()];
}

function compareBots(before: BotPlan, after: BotPlan): PlanChange[] {
  const { name } = after;
  const lists = (
    one: readonly string[],
    two: readonly string[],
    gained: (item: string) => string,
    lost: (item: string) => string,
  ): PlanChange[] => [
    ...two.filter((item) => !one.includes(item)).map((item) => more(gained(item))),
    ...one.filter((item) => !two.includes(item)).map((item) => less(lost(item))),
  ];
  const grants = new Map(before.grants.map((grant) => [grant.name, grant]));
  const now = new Set(after.grants.map((grant) => grant.name));
  const { openclaw: was } = before;
  const { openclaw: is } = after;
  const rest = ({
    grants: _grants,
    commands: _commands,
    concessions: _concessions,
    limits: _limits,
    resources: _resources,
    ...bot
  }: BotPlan): object => {
    const {
      version: _version,
      model: _model,
      tools: _tools,
      plugins: _plugins,
      settings: _settings,
      agentTools: _agentTools,
      agentImage: _agentImage,
      ...openclaw
    } = bot.openclaw;
    const { unknownHosts: _unknown, ports: _ports, environment: _environment, ...others } = bot;
    return { ...others, openclaw };
  };
  return [
    ...before.grants
      .filter((grant) => !now.has(grant.name))
      .map((grant) => less(`${name} no longer reaches ${reach(grant)}`)),
    ...after.grants.flatMap((grant) => {
      const there = grants.get(grant.name);
      return there === undefined
        ? [more(`${name} reaches ${reach(grant)}`)]
        : compareGrants(name, there, grant);
    }),
    ...lists(
      before.commands,
      after.commands,
      (c) => `${name} may run ${c}`,
      (c) => `${name} may no longer run ${c}`,
    ),
    ...lists(
      was.tools,
      is.tools,
      (t) => `${name}'s agent may use ${t}`,
      (t) => `${name}'s agent may no longer use ${t}`,
    ),
    ...lists(
      was.plugins,
      is.plugins,
      (p) => `${name} gets plugin ${p}`,
      (p) => `${name} loses plugin ${p}`,
    ),
    ...lists(
      before.concessions,
      after.concessions,
      (c) => `${name}'s wall may go without: ${c}`,
      (c) => `${name}'s wall no longer goes without: ${c}`,
    ),
    ...compareAgentTools(name, was, is),
    ...(before.unknownHosts === after.unknownHosts
      ? []
      : [
          after.unknownHosts === undefined
            ? less(`${name} may no longer ask for hosts nobody granted`)
            : more(`${name} may ask for hosts nobody granted`),
        ]),
    ...(was.version === is.version
      ? []
      : [less(`${name} moves from OpenClaw ${was.version} to ${is.version}`)]),
    ...(was.model === is.model
      ? []
      : [less(`${name} thinks with ${is.model} instead of ${was.model}`)]),
    ...(same(was.settings, is.settings) ? [] : [more(`${name}'s settings of OpenClaw change`)]),
    ...compareLimits(name, before.limits, after.limits),
    ...compareResources(name, before.resources, after.resources),
    ...other(name, rest(before), rest(after)),
  ];
}

function compareGrants(bot: string, before: GrantPlan, after: GrantPlan): PlanChange[] {
  const at = `${bot}, grant "${after.name}"`;
  if (before.kind !== "inject" || after.kind !== "inject") {
    const { limits: one, ...was } = before;
    const { limits: two, ...is } = after;
    return [...compareLimits(at, one, two), ...other(at, was, is)];
  }
  const rest = ({
    secret: _secret,
    rules: _rules,
    ask: _ask,
    deny: _deny,
    anonymous: _anonymous,
    limits: _limits,
    ...grant
  }: InjectGrant): object => grant;
  return [
    ...(before.secret === after.secret
      ? []
      : [more(`${at} uses secret "${after.secret}" instead of "${before.secret}"`)]),
    ...compareRules(at, "calls that are made", before.rules, after.rules, true),
    ...compareRules(at, "calls you are asked about", before.ask, after.ask, true),
    ...compareRules(at, "calls without the credential", before.anonymous, after.anonymous, true),
    ...compareRules(at, "calls never made", before.deny, after.deny, false),
    ...compareLimits(at, before.limits, after.limits),
    ...other(at, rest(before), rest(after)),
  ];
}

/** @param allows whether a rule gained lets more through, or one lost */
function compareRules(
  at: string,
  what: string,
  before: readonly Rule[] = [],
  after: readonly Rule[] = [],
  allows: boolean,
): PlanChange[] {
  const has = (rules: readonly Rule[], rule: Rule): boolean =>
    rules.some((each) => same(each, rule));
  return [
    ...after
      .filter((rule) => !has(before, rule))
      .map((rule) => ({ text: `${at}: ${what} gain ${formatRule(rule)}`, loosens: allows })),
    ...before
      .filter((rule) => !has(after, rule))
      // What is no longer asked about may be made without asking now.
      .map((rule) => ({
        text: `${at}: ${what} lose ${formatRule(rule)}`,
        loosens: !allows || what === "calls you are asked about",
      })),
  ];
}

function compareLimits(at: string, before: LimitsPlan = {}, after: LimitsPlan = {}): PlanChange[] {
  const keys = [
    ...new Set([...Object.keys(before), ...Object.keys(after)]),
  ].toSorted() as (keyof LimitsPlan)[];
  return keys.flatMap((key) => {
    const one = before[key];
    const two = after[key];
    if (one === two) return [];
    const text = `${at}: ${key} ${one ?? "unlimited"} becomes ${two ?? "unlimited"}`;
    return [{ text, loosens: two === undefined || (one !== undefined && two > one) }];
  });
}

/** Where nothing is said the host has its own bound, which may be more or less; but none on processors. */
function compareResources(
  bot: string,
  before: ResourcesPlan = {},
  after: ResourcesPlan = {},
): PlanChange[] {
  const keys = [
    ...new Set([...Object.keys(before), ...Object.keys(after)]),
  ].toSorted() as (keyof ResourcesPlan)[];
  return keys.flatMap((key) => {
    const one = before[key];
    const two = after[key];
    if (one === two) return [];
    const usual = key === "cpu" ? "unlimited" : "as usual";
    const lowered = two !== undefined && (one === undefined ? key === "cpu" : two < one);
    return [{ text: `${bot}: ${key} ${one ?? usual} becomes ${two ?? usual}`, loosens: !lowered }];
  });
}

function compareMinted(
  before: readonly MintedSecret[] = [],
  after: readonly MintedSecret[] = [],
): PlanChange[] {
  const old = new Map(before.map((secret) => [secret.name, secret]));
  const now = new Set(after.map(({ name }) => name));
  const made = ({ mint, endpoint }: MintedSecret): string =>
    `made at ${endpoint.host.name} (${mint.kind})`;
  return [
    ...after.flatMap((secret) => {
      const there = old.get(secret.name);
      if (there === undefined) return [more(`secret "${secret.name}" is used, ${made(secret)}`)];
      return same(there, secret)
        ? []
        : [more(`secret "${secret.name}" is made in another way: ${made(secret)}`)];
    }),
    ...[...old.keys()]
      .filter((name) => !now.has(name))
      .map((name) => less(`secret "${name}" is no longer made`)),
  ];
}

function compareSecrets(before: Plan | undefined, after: Plan): PlanChange[] {
  const old = new Map((before?.secrets ?? []).map((secret) => [secret.name, secret]));
  const now = new Set(after.secrets.map(({ name }) => name));
  return [
    ...after.secrets.flatMap((secret) => {
      const there = old.get(secret.name);
      if (there === undefined)
        return [more(`secret "${secret.name}" is used, from ${secret.source.store}`)];
      return same(there, secret)
        ? []
        : [more(`secret "${secret.name}" comes from elsewhere: ${secret.source.store}`)];
    }),
    ...[...old.keys()]
      .filter((name) => !now.has(name))
      .map((name) => less(`secret "${name}" is no longer used`)),
  ];
}

/** Whatever else differs. Nobody has said whether it is less, so it counts as more. */
function other(at: string, before: object, after: object): PlanChange[] {
  const one = before as Record<string, unknown>;
  const two = after as Record<string, unknown>;
  return [...new Set([...Object.keys(one), ...Object.keys(two)])]
    .toSorted()
    .filter((key) => !same(one[key], two[key]))
    .map((key) => more(`${at}: ${key} changes`));
}

function surroundings(plan: Plan | undefined): object {
  const {
    bots: _bots,
    secrets: _secrets,
    minted: _minted,
    version: _version,
    ...rest
  } = plan ?? {};
  return rest;
}

function reach(grant: GrantPlan): string {
  const hosts = grant.hosts.map(({ name, port }) => `${name}:${port}`).join(", ");
  const how =
    grant.kind === "inject" ? `with secret "${grant.secret}"` : `unopened (${grant.kind})`;
  return `${hosts} ${how}`;
}

function same(one: unknown, two: unknown): boolean {
  return (
    JSON.stringify(canonical((one ?? null) as Json)) ===
    JSON.stringify(canonical((two ?? null) as Json))
  );
}
