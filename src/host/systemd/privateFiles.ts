import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureAuthority, trustBundle } from "../../authority/index.ts";
import type { BrokerBot, BrokerConfig, ServiceConfig, TellSocket } from "../../broker/index.ts";
import {
  botSockets,
  botUnits,
  bridgeSocket,
  deliverSecrets,
  gateSocket,
  hasBridge,
  hasBrowser,
  targetFile,
  tellPlaces,
  type SystemdSystem,
  type TargetFile,
} from "../../targets/index.ts";
import { publicCas } from "../botLaunch.ts";
import { brokerConfig, phantomEnvironment } from "../brokerConfig.ts";
import { usedSecrets } from "../../plan/index.ts";
import type { Generation } from "../Generation.ts";
import { gateConfig } from "./gateConfig.ts";
import { gatewayToken, phantomKey } from "../hostKeys.ts";
import { SERVICE_INSIDE } from "../inside.ts";
import type { StatePaths } from "../../paths/index.ts";

/**
 * As long as the authority's own: nothing of ours runs as root between switches that could renew it,
 * and it is worth nothing outside of the one wall that trusts its authority.
 */
const LEAF_DAYS = 3650;
const RENEW_BEFORE_MS = 180 * 24 * 60 * 60 * 1000;

/** Uid and gid of a user that exists. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * What a generation holds besides the target's files: phantoms, tokens, leaf certificates, the bundle
 * of CAs, users' numbers. No real secret.
 *
 * @param before the generation in force: its leaves are kept while they are good
 */
export async function privateFiles(options: {
  readonly generation: Generation;
  readonly paths: StatePaths;
  readonly system: SystemdSystem;
  readonly users: ReadonlyMap<string, SystemUser>;
  readonly before: string | undefined;
  /** The machine's name in its tailnet. */
  readonly tailnet?: string;
}): Promise<TargetFile[]> {
  const { generation, paths, system, users, before, tailnet } = options;
  const authority = await ensureAuthority(paths.authority);
  const config = await brokerConfig({
    generation,
    paths,
    authority,
    vault: { file: "", identity: "" },
    credentials: undefined,
    leafDays: LEAF_DAYS,
    leafOf: (bot, hosts) => leafFrom(before, bot, hosts, authority.caPem),
  });
  const key = phantomKey(paths);
  const gates = await Promise.all(
    generation.plan.bots.map(async (bot) => {
      const text = await gateConfig(bot, {
        generation,
        authority,
        runtime: system.paths.runtime,
        before,
        isGood: isGoodLeaf,
        days: LEAF_DAYS,
      });
      return text === undefined ? [] : [targetFile(`private/${bot.name}/gate.json`, text, 0o400)];
    }),
  );
  return [
    ...gates.flat(),
    targetFile("private/trust.pem", trustBundle(publicCas(), authority.caPem)),
    ...generation.plan.bots.flatMap((bot) => {
      const { name } = bot;
      const user = users.get(name);
      const variables = {
        ...phantomEnvironment(bot, key),
        OPENCLAW_GATEWAY_TOKEN: gatewayToken(paths, name),
      };
      const at = `private/${name}`;
      return [
        targetFile(`${at}/gateway.env`, environmentFile(variables), 0o400),
        targetFile(
          `${at}/broker.json`,
          serviceConfig(config, generation, name, system, tailnet),
          0o400,
        ),
        targetFile(
          `${at}/passwd`,
          `bot:x:${user?.uid ?? 0}:${user?.gid ?? 0}:bot:${SERVICE_INSIDE.home}:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`,
        ),
        targetFile(`${at}/group`, `bot:x:${user?.gid ?? 0}:\nnogroup:x:65534:\n`),
      ];
    }),
  ];
}

function serviceConfig(
  config: BrokerConfig,
  { plan }: Generation,
  name: string,
  { paths, host, prefix }: SystemdSystem,
  tailnet: string | undefined,
): string {
  const bot = plan.bots.find((each) => each.name === name);
  if (bot === undefined) return "";
  const credentials = `/run/credentials/${botUnits(name, prefix).broker}`;
  const { minted: _all, notify: _notify, ...common } = config;
  // The others' are told by these, over a socket.
  const notify = config.notify?.filter((chat) => chat.bot === name) ?? [];
  const tell = tellPlaces(plan, bot, paths.runtime, prefix).map(
    ({ way, path, to }): TellSocket => ({ way, path, to: to.kind }),
  );
  const used = new Set(usedSecrets(plan, bot).minted.map((each) => each.name));
  const minted = config.minted?.filter((each) => used.has(each.name)) ?? [];
  const broker: BrokerConfig = {
    ...common,
    ...(notify.length === 0 ? {} : { notify }),
    secrets: deliverSecrets(plan, bot, paths).map(({ secret, source }) => ({
      name: secret,
      source,
    })),
    ...(minted.length === 0 ? {} : { minted }),
    vault: { file: `${credentials}/vault.age`, identity: `${credentials}/vault.key` },
    audit: { ...config.audit, file: `${paths.state}/audit/${name}/audit.jsonl` },
    // The port is the socket unit's; any number switches them on.
    telemetry: { ...config.telemetry, metricsPort: plan.telemetry?.metricsPort ?? 1 },
    bots: config.bots
      .filter((each) => each.name === name)
      .map((each) =>
        each.ingress === undefined || bot.expose?.tailscale !== true || tailnet === undefined
          ? each
          : { ...each, ingress: { ...each.ingress, site: `${tailnet}:${each.ingress.port}` } },
      ),
  };
  const rest: Omit<ServiceConfig, "id"> = {
    version: 1,
    bot: name,
    sockets: botSockets(bot, host.ipv6),
    gateway: `${paths.runtime}/${name}/door/gateway`,
    ...(hasBridge(bot) ? { bridge: bridgeSocket(paths.runtime, name) } : {}),
    ...(tell.length === 0 ? {} : { tell }),
    ...(hasBrowser(bot) ? { browser: gateSocket(paths.runtime, name) } : {}),
    broker,
  };
  const id = createHash("sha256").update(JSON.stringify(rest)).digest("hex").slice(0, 16);
  return `${JSON.stringify({ ...rest, id })}\n`;
}

/** systemd.exec(5) `EnvironmentFile=`: in double quotes, backslash before quote and backslash. */
export function environmentFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${value.replaceAll(/["\\$`]/g, String.raw`\$&`)}"\n`)
    .join("");
}

/** The leaf of a generation for the same hosts, while it is good for long enough and of this authority. */
function leafFrom(
  generation: string | undefined,
  bot: string,
  hosts: readonly string[],
  caPem: string,
): BrokerBot["certificate"] | undefined {
  const leaf = generation === undefined ? undefined : readLeaf(generation, bot);
  return leaf !== undefined && isGoodLeaf(leaf, hosts, caPem) ? leaf : undefined;
}

function isGoodLeaf(
  leaf: BrokerBot["certificate"],
  hosts: readonly string[],
  caPem: string,
): boolean {
  try {
    const certificate = new X509Certificate(leaf.chain);
    const names = (certificate.subjectAltName ?? "")
      .split(", ")
      .map((entry) => entry.replace(/^(DNS|IP Address):/, ""));
    const same = JSON.stringify(names.toSorted()) === JSON.stringify([...hosts].toSorted());
    const good = certificate.validToDate.getTime() > Date.now() + RENEW_BEFORE_MS;
    const ours = certificate.verify(new X509Certificate(caPem).publicKey);
    return same && good && ours;
  } catch {
    return false;
  }
}

function readLeaf(generation: string, bot: string): BrokerBot["certificate"] | undefined {
  try {
    const file = join(generation, "private", bot, "broker.json");
    const config = JSON.parse(readFileSync(file, "utf8")) as ServiceConfig;
    return config.broker.bots[0]?.certificate;
  } catch {
    return undefined;
  }
}
