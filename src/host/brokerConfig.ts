import { issueLeaf, type Authority } from "../authority/index.ts";
import type { BrokerBot, BrokerConfig, BrokerGrant } from "../broker/index.ts";
import { derivePhantom, type BotPlan, type GrantPlan } from "../plan/index.ts";
import type { Generation } from "./Generation.ts";
import { gatewayToken, phantomKey } from "./hostKeys.ts";
import { join } from "node:path";
import type { StatePaths } from "./statePaths.ts";

/** Leaves are made anew each day, so a month leaves room for a machine that slept. */
const LEAF_DAYS = 30;

/** What the broker is told of a generation: rules, phantoms, fresh leaf certificates, tokens. */
export async function brokerConfig(options: {
  readonly generation: Generation;
  readonly paths: StatePaths;
  readonly authority: Authority;
  readonly vault: BrokerConfig["vault"];
}): Promise<BrokerConfig> {
  const { generation, paths, authority, vault } = options;
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
    });
  }
  return {
    secrets: generation.plan.secrets,
    vault,
    audit: { file: join(paths.audit, "audit.jsonl") },
    bots,
  };
}

/** The bot's phantoms by environment variable. */
export function phantomEnvironment(bot: BotPlan, key: Uint8Array): Record<string, string> {
  return Object.fromEntries(
    bot.environment.flatMap(({ variable, grant: name }) => {
      const grant = bot.grants.find((candidate) => candidate.name === name);
      if (grant?.kind !== "inject") return [];
      return [[variable, derivePhantom(grant.phantom, key, { bot: bot.name, grant: name })]];
    }),
  );
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
