import { issueLeaf, type Authority } from "../authority/index.ts";
import type { BrokerBot, BrokerConfig, BrokerGrant } from "../broker/index.ts";
import { derivePhantom, type BotPlan, type GrantPlan, type InjectGrant } from "../plan/index.ts";
import type { Generation } from "./Generation.ts";
import { auditFile } from "./auditRecord.ts";
import { gatewayToken, phantomKey, signingKey } from "./hostKeys.ts";
import { resolveSecrets } from "./resolveSecrets.ts";
import type { StatePaths } from "./statePaths.ts";

/** Leaves are made anew each day, so a month leaves room for a machine that slept. */
const LEAF_DAYS = 30;

/** What the broker is told of a generation: rules, phantoms, fresh leaf certificates, tokens. */
export async function brokerConfig(options: {
  readonly generation: Generation;
  readonly paths: StatePaths;
  readonly authority: Authority;
  readonly vault: BrokerConfig["vault"];
  readonly credentials: string | undefined;
}): Promise<BrokerConfig> {
  const { generation, paths, authority, vault, credentials } = options;
  const { audit, telemetry, approvals } = generation.plan;
  const key = phantomKey(paths);
  const bots: BrokerBot[] = [];
  for (const bot of generation.plan.bots) {
    const leaf = await issueLeaf(authority, terminatedHosts(bot), { days: LEAF_DAYS });
    const cas = generation.bots[bot.name]?.cas ?? {};
    bots.push({
      name: bot.name,
      grants: bot.grants.map((grant) => brokerGrant(grant, bot.name, key, cas[grant.name])),
      certificate: { chain: leaf.chain, key: leaf.key },
      ingress: { ...bot.ingress, token: gatewayToken(paths, bot.name) },
      ...(bot.proxyPort === undefined ? {} : { proxy: { port: bot.proxyPort } }),
      ...(bot.unknownHosts === undefined ? {} : { unknownHosts: bot.unknownHosts }),
      ...(bot.limits === undefined ? {} : { limits: bot.limits }),
    });
  }
  return {
    secrets: resolveSecrets(generation),
    vault,
    ...(credentials === undefined ? {} : { credentials }),
    audit: { file: auditFile(paths), signingKey: signingKey(paths), ...audit },
    ...(telemetry === undefined ? {} : { telemetry }),
    ...(approvals?.waitMinutes === undefined ? {} : { askMs: approvals.waitMinutes * 60_000 }),
    bots,
  };
}

/** The bot's phantoms by environment variable, and what makes its git send them. */
export function phantomEnvironment(bot: BotPlan, key: Uint8Array): Record<string, string> {
  const phantomOf = (grant: InjectGrant): string =>
    derivePhantom(grant.phantom, key, { bot: bot.name, grant: grant.name });
  const inject = bot.grants.filter((grant) => grant.kind === "inject");
  const variables = bot.environment.flatMap(({ variable, grant: name }) =>
    inject.filter((grant) => grant.name === name).map((grant) => [variable, phantomOf(grant)]),
  );
  const settings = inject.flatMap((grant) => gitSettings(grant, phantomOf(grant)));
  const git = settings.flatMap(([name, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, name],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  const count = settings.length === 0 ? [] : [["GIT_CONFIG_COUNT", String(settings.length)]];
  return Object.fromEntries([...variables, ...count, ...git]) as Record<string, string>;
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

function brokerGrant(
  grant: GrantPlan,
  bot: string,
  key: Uint8Array,
  ca: string | undefined,
): BrokerGrant {
  const { dial, ...rest } = grant;
  const { ca: _path, ...where } = dial ?? {};
  const dialed =
    dial === undefined ? {} : { dial: { ...where, ...(ca === undefined ? {} : { ca }) } };
  if (rest.kind !== "inject") return { ...rest, ...dialed };
  return {
    ...rest,
    ...dialed,
    phantom: derivePhantom(rest.phantom, key, { bot, grant: grant.name }),
  };
}

/** Hosts that the broker ends TLS for. A bot with none gets a leaf for a name that can't exist. */
function terminatedHosts(bot: BotPlan): string[] {
  const names = bot.grants
    .filter(({ kind }) => kind === "inject")
    .flatMap(({ hosts }) => hosts.filter((h) => h.scheme === "https").map((h) => h.name));
  return names.length > 0 ? [...new Set(names)].toSorted() : ["nothing.invalid"];
}
