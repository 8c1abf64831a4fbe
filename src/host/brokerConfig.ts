import { issueLeaf, type Authority } from "../authority/index.ts";
import type { BrokerBot, BrokerConfig, BrokerDial, BrokerGrant } from "../broker/index.ts";
import {
  derivePhantom,
  type BotPlan,
  type DialPlan,
  type GrantPlan,
  type InjectGrant,
  type PhantomShape,
} from "../plan/index.ts";
import type { Generation } from "./Generation.ts";
import { auditFile } from "./auditRecord.ts";
import { gatewayToken, phantomKey, signingKey } from "./hostKeys.ts";
import { resolveSecrets } from "./resolveSecrets.ts";
import type { StatePaths } from "../paths/index.ts";

/** Leaves are made anew each day, so a month leaves room for a machine that slept. */
const LEAF_DAYS = 30;

/** What the broker is told of a generation: rules, phantoms, fresh leaf certificates, tokens. */
export async function brokerConfig(options: {
  readonly generation: Generation;
  readonly paths: StatePaths;
  readonly authority: Authority;
  readonly vault: BrokerConfig["vault"];
  readonly credentials: string | undefined;
  /** A leaf for these hosts that can still be used, if there is one. */
  readonly leafOf?: (bot: string, hosts: readonly string[]) => BrokerBot["certificate"] | undefined;
  /** By bot, where the broker is reached by an explicit proxy that other processes of the host get to as well. */
  readonly proxies?: ReadonlyMap<string, { readonly port: number; readonly token: string }>;
  /** How long new ones are good for. */
  readonly leafDays?: number;
}): Promise<BrokerConfig> {
  const {
    generation,
    paths,
    authority,
    vault,
    credentials,
    leafOf,
    proxies,
    leafDays = LEAF_DAYS,
  } = options;
  const { audit, telemetry, approvals } = generation.plan;
  const key = phantomKey(paths);
  const bots: BrokerBot[] = [];
  for (const bot of generation.plan.bots) {
    const hosts = terminatedHosts(bot);
    const leaf =
      leafOf?.(bot.name, hosts) ?? (await issueLeaf(authority, hosts, { days: leafDays }));
    const cas = generation.bots[bot.name]?.cas ?? {};
    const proxy =
      proxies?.get(bot.name) ?? (bot.proxyPort === undefined ? undefined : { port: bot.proxyPort });
    bots.push({
      name: bot.name,
      grants: bot.grants.map((grant) => brokerGrant(grant, bot.name, key, cas[grant.name])),
      certificate: { chain: leaf.chain, key: leaf.key },
      ingress: { ...bot.ingress, token: gatewayToken(paths, bot.name) },
      ...(proxy === undefined ? {} : { proxy }),
      ...(bot.unknownHosts === undefined ? {} : { unknownHosts: bot.unknownHosts }),
      ...(bot.limits === undefined ? {} : { limits: bot.limits }),
    });
  }
  return {
    secrets: resolveSecrets(generation),
    ...brokerMints(generation),
    vault,
    ...(credentials === undefined ? {} : { credentials }),
    audit: { file: auditFile(paths), signingKey: signingKey(paths), ...audit },
    ...(telemetry === undefined ? {} : { telemetry }),
    ...chats(approvals),
    ...(approvals?.waitMinutes === undefined ? {} : { askMs: approvals.waitMinutes * 60_000 }),
    bots,
  };
}

function chats(approvals: Generation["plan"]["approvals"]): Pick<BrokerConfig, "notify"> {
  const notify = approvals?.notify.filter((way) => way.by === "chat") ?? [];
  return notify.length === 0 ? {} : { notify };
}

/** What a bot tells the proxy that is its own, where it is reached over the host's network. Unlocks no other bot's. */
export function proxyToken(bot: string, key: Uint8Array): string {
  // No grant has such a name.
  return derivePhantom(PROXY_TOKEN, key, { bot, grant: "proxy token" });
}

const PROXY_TOKEN: PhantomShape = [{ alphabet: "base64url", length: 43 }];

/** Names of the variables that `phantomEnvironment` sets, which don't depend on the key. */
export function phantomVariables(bot: BotPlan): string[] {
  const inject = bot.grants.filter((grant) => grant.kind === "inject");
  const git = inject.flatMap((grant) => gitSettings(grant, ""));
  return [
    ...bot.environment.map(({ variable }) => variable),
    ...(git.length === 0 ? [] : ["GIT_CONFIG_COUNT"]),
    ...git.flatMap((_, index) => [`GIT_CONFIG_KEY_${index}`, `GIT_CONFIG_VALUE_${index}`]),
  ];
}

/** The bot's phantoms by environment variable, and what makes its git send them. */
export function phantomEnvironment(
  bot: Pick<BotPlan, "name" | "grants" | "environment">,
  key: Uint8Array,
): Record<string, string> {
  const phantomOf = (grant: InjectGrant): string => phantomsOf(grant, bot.name, key).phantom;
  const inject = bot.grants.filter((grant) => grant.kind === "inject");
  const variables = bot.environment.flatMap(({ variable, grant: name }) =>
    inject.filter((grant) => grant.name === name).map((grant) => [variable, phantomOf(grant)]),
  );
  const aws = awsSettings(inject, bot.name, key);
  const settings = inject.flatMap((grant) => gitSettings(grant, phantomOf(grant)));
  const git = settings.flatMap(([name, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, name],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  const count = settings.length === 0 ? [] : [["GIT_CONFIG_COUNT", String(settings.length)]];
  return Object.fromEntries([...variables, ...aws, ...count, ...git]) as Record<string, string>;
}

/** Of letters, digits, `-` and `_`; the real ones have `+` and `/` instead. */
const AWS_SECRET: PhantomShape = [{ alphabet: "base64url", length: 40 }];

/** Where calls are signed, all grants of one secret have the same two halves; else each has its own token. */
function phantomsOf(
  { name, phantom, places, secret }: InjectGrant,
  bot: string,
  key: Uint8Array,
): { readonly phantom: string; readonly phantomSecret?: string } {
  if (!places.some((place) => place.in === "sigv4"))
    return { phantom: derivePhantom(phantom, key, { bot, grant: name }) };
  // No grant has such a name.
  return {
    phantom: derivePhantom(phantom, key, { bot, grant: `aws id ${secret}` }),
    phantomSecret: derivePhantom(AWS_SECRET, key, { bot, grant: `aws secret ${secret}` }),
  };
}

/** What AWS's own clients read beside the key's id; the region only where there is but one. */
function awsSettings(
  inject: readonly InjectGrant[],
  bot: string,
  key: Uint8Array,
): [name: string, value: string][] {
  const places = inject.flatMap((grant) => grant.places.filter((place) => place.in === "sigv4"));
  const regions = [...new Set(places.map(({ region }) => region))];
  const secrets = inject.flatMap((grant) => phantomsOf(grant, bot, key).phantomSecret ?? []);
  return [
    ...secrets.slice(0, 1).map((value): [string, string] => ["AWS_SECRET_ACCESS_KEY", value]),
    ...(regions.length === 1
      ? regions.flatMap((region): [string, string][] => [
          ["AWS_REGION", region],
          ["AWS_DEFAULT_REGION", region],
        ])
      : []),
  ];
}

/**
 * Settings by which git sends the phantom with its first call (git-config(1), `http.<url>.extraHeader`
 * and `GIT_CONFIG_COUNT`). Services that take a token as password don't look at the user's name.
 */
function gitSettings(grant: InjectGrant, phantom: string): [name: string, value: string][] {
  const place = grant.places.find((each) => each.in === "basic");
  if (grant.git === undefined || place === undefined) return [];
  const pair = place.part === "password" ? `x-access-token:${phantom}` : `${phantom}:x-oauth-basic`;
  const header = `Authorization: Basic ${Buffer.from(pair).toString("base64")}`;
  return [[`http.${grant.git}/.extraHeader`, header]];
}

export function brokerMints({
  plan,
  mintCas,
}: {
  readonly plan: Pick<Generation["plan"], "minted">;
  readonly mintCas?: Generation["mintCas"];
}): Pick<BrokerConfig, "minted"> {
  if (plan.minted === undefined) return {};
  return {
    minted: plan.minted.map(({ dial, ...rest }) => ({
      ...rest,
      ...brokerDial(dial, mintCas?.[rest.name]),
    })),
  };
}

function brokerDial(
  dial: DialPlan | undefined,
  ca: string | undefined,
): { readonly dial?: BrokerDial } {
  if (dial === undefined) return {};
  const { ca: _path, ...where } = dial;
  return { dial: { ...where, ...(ca === undefined ? {} : { ca }) } };
}

export function brokerGrant(
  grant: GrantPlan,
  bot: string,
  key: Uint8Array,
  ca: string | undefined,
): BrokerGrant {
  const { dial, ...rest } = grant;
  const dialed = brokerDial(dial, ca);
  if (rest.kind !== "inject") return { ...rest, ...dialed };
  return {
    ...rest,
    ...dialed,
    ...phantomsOf(rest, bot, key),
  };
}

/** Hosts that the broker ends TLS for. A bot with none gets a leaf for a name that can't exist. */
export function terminatedHosts(bot: Pick<BotPlan, "grants">): string[] {
  const names = bot.grants
    .filter(({ kind }) => kind === "inject")
    .flatMap(({ hosts }) => hosts.filter((h) => h.scheme !== "http").map((h) => h.name));
  return names.length > 0 ? [...new Set(names)].toSorted() : ["nothing.invalid"];
}
