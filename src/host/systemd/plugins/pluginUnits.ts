import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServiceConfig } from "../../../broker/index.ts";
import type { BotPlan } from "../../../plan/index.ts";
import {
  botSockets,
  botUnits,
  systemdTarget,
  targetFile,
  type SystemdSystem,
  type TargetFile,
} from "../../../targets/index.ts";
import type { Generation } from "../../Generation.ts";
import { HostError } from "../../HostError.ts";
import { SERVICE_INSIDE } from "../../inside.ts";
import { pluginWall, registryGrant, registryOf } from "../../pluginLaunch.ts";
import { systemInput, type CodePlace } from "../systemInput.ts";

type Grant = ReturnType<typeof registryGrant>;

/**
 * The files of one bot's units in which a plugin is installed in place of OpenClaw's gateway: the same
 * walls, printed by the same code, with the bot's own folder, none of its phantoms, and a broker that holds no
 * secret and passes connections to the registry through. The broker writes the bot's record on.
 *
 * @param system of these units: names and folders of their own, the deployment's state.
 * @param current folder of the private files in force.
 */
export function pluginUnits(options: {
  readonly generation: Generation;
  readonly bot: BotPlan;
  readonly plugin: string;
  readonly current: string;
  readonly system: SystemdSystem;
  readonly place: CodePlace;
}): TargetFile[] {
  const { generation, plugin, current, system, place } = options;
  const { programs } = generation;
  const { name, openclaw } = options.bot;
  const registry = registryOf(programs);
  const grant = registryGrant(registry, registry.name);
  const bot = withGrant(options.bot, grant);
  const plan = { version: generation.plan.version, secrets: [], bots: [bot] };
  const input = systemInput({ ...generation, plan }, system, place);
  const walls = input.bots[name];
  if (walls === undefined) throw new HostError("no-such-bot", `there is no bot "${name}"`);
  const { gateway } = walls;
  const spec = pluginWall(
    { plugin, openclaw: openclaw.version, inside: SERVICE_INSIDE },
    gateway,
    programs,
  );
  const { FS_SAFE_NATIVE_MODE: portable } = gateway.environment;
  const wall = {
    ...spec,
    environment: {
      ...spec.environment,
      ...(portable === undefined ? {} : { FS_SAFE_NATIVE_MODE: portable }),
    },
    service: { sockets: 0, environment: [], notifies: false, unixSockets: false },
  };
  const own = `private/${name}`;
  const { ingress } = botUnits(name, system.prefix);
  const copied = (path: string): TargetFile =>
    targetFile(`private/${path}`, readFileSync(join(current, path), "utf8"));
  return [
    ...systemdTarget
      .render({ ...input, bots: { [name]: { ...walls, gateway: wall } } })
      .map((file) => (file.path === `units/${ingress}` ? byPath(file, system, bot) : file)),
    ...["trust.pem", `${name}/passwd`, `${name}/group`].map((path) => copied(path)),
    targetFile(`${own}/gateway.env`, "", 0o400),
    targetFile(`${own}/broker.json`, brokerOf(bot, grant, current, system), 0o400),
  ];
}

/** Nobody visits, and at the bot's own port its socket may listen. */
function byPath(
  file: TargetFile,
  { paths }: SystemdSystem,
  { name, ingress }: BotPlan,
): TargetFile {
  const text = Buffer.from(file.bytes).toString();
  const port = `ListenStream=127.0.0.1:${ingress.port}\n`;
  if (!text.includes(port)) throw new HostError("damaged-state", `"${file.path}" has no listener`);
  const path = `ListenStream=${paths.runtime}/${name}/ingress\nSocketMode=0600\n`;
  return targetFile(file.path, text.replace(port, path), file.mode);
}

function withGrant(plan: BotPlan, grant: Grant): BotPlan {
  const { expose: _expose, limits: _limits, unknownHosts: _hosts, proxyPort: _port, ...bot } = plan;
  const { agents: _agents, ...openclaw } = bot.openclaw;
  return {
    ...bot,
    openclaw,
    grants: [grant],
    ports: grant.hosts.map(({ port }) => port),
    environment: [],
  };
}

/** As the bot's own broker is told, but for all that it may do. */
function brokerOf(
  bot: BotPlan,
  grant: Grant,
  current: string,
  { paths, host }: SystemdSystem,
): string {
  const file = join(current, bot.name, "broker.json");
  const { broker } = JSON.parse(readFileSync(file, "utf8")) as ServiceConfig;
  const [own] = broker.bots;
  if (own === undefined) throw new HostError("damaged-state", `there is no bot "${bot.name}"`);
  const config: ServiceConfig = {
    version: 1,
    id: "plugins",
    bot: bot.name,
    sockets: botSockets(bot, host.ipv6),
    gateway: `${paths.runtime}/${bot.name}/door/gateway`,
    broker: {
      secrets: [],
      vault: broker.vault,
      audit: broker.audit,
      bots: [{ name: bot.name, grants: [grant], certificate: own.certificate }],
    },
  };
  return `${JSON.stringify(config)}\n`;
}
