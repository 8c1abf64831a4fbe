import { chownSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { rootCertificates } from "node:tls";
import { trustBundle, type Authority } from "../authority/index.ts";
import type { BotPlan } from "../plan/index.ts";
import { boundsMemory, compileWall, type HostCapabilities, type WallSpec } from "../wall/index.ts";
import { makeAgentsFolder, policiesFolder } from "./agentsFolder.ts";
import { botWall, type BotWallInput } from "./botWall.ts";
import { makeSocketFolder } from "./containers/containerLaunches.ts";
import { phantomEnvironment } from "./brokerConfig.ts";
import type { Generation } from "./Generation.ts";
import { HostError } from "./HostError.ts";
import { INSIDE } from "./inside.ts";
import { gatewayToken, phantomKey } from "./hostKeys.ts";
import { pluginLaunch } from "./pluginLaunch.ts";
import { makeLocks, writeTold } from "./shared/sharedFiles.ts";
import { sharedFolders, sharedInside } from "./shared/sharedInside.ts";
import { sharedWall } from "./shared/sharedWall.ts";
import type { SharedPort } from "./shared/SharedPorts.ts";
import { putToolPolicies } from "./toolPolicies.ts";
import type { StatePaths } from "../paths/index.ts";
import type { BotLaunch } from "./supervisor/BotProcess.ts";

/** Bundles of public CAs: Debian, Fedora, openSUSE, Alpine. */
const BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** Makes the bot's folder if there is none, and compiles its wall and those of its plugins. */
export function botLaunch(options: {
  readonly plan: BotPlan;
  readonly generation: Generation;
  readonly paths: StatePaths;
  readonly authority: Authority;
  readonly capabilities: HostCapabilities;
  /** The bot's own, when this runs as root. */
  readonly uid: number | undefined;
  /** Of a bot that was prepared for a host without user namespaces. */
  readonly ports?: SharedPort | undefined;
  /** For a copy of the wall that is to be attacked: what it runs in place of OpenClaw. */
  readonly alter?: (spec: WallSpec) => WallSpec;
}): BotLaunch {
  const { plan, generation, paths, authority, capabilities, uid, ports, alter = same } = options;
  const { name } = plan;
  const bot = generation.bots[name];
  if (bot === undefined) {
    throw new HostError("damaged-state", `generation ${generation.number} lacks bot "${name}"`);
  }
  const home = makeHome(join(paths.bots, name), uid);
  const input: BotWallInput = {
    plan,
    bot,
    programs: generation.programs,
    home,
    trust: trustBundle(publicCas(), authority.caPem),
    variables: {
      ...phantomEnvironment(plan, phantomKey(paths)),
      OPENCLAW_GATEWAY_TOKEN: gatewayToken(paths, name),
    },
    boundsMemory: boundsMemory(capabilities.cgroups),
    ...(plan.openclaw.agents === undefined ? {} : { agents: makeAgentsFolder(paths.root, name) }),
    ...(plan.openclaw.agentImage === undefined
      ? {}
      : { containers: makeSocketFolder(paths.root, name, uid) }),
  };
  const shared = bot.shared === true ? { ports, uid, paths } : undefined;
  const spec =
    shared === undefined
      ? botWall({ ...input, ...policiesFor(input, paths.root, capabilities) })
      : sharedSpec(input, shared);
  const plugins = plan.openclaw.plugins.map((name) => pluginLaunch(name, input, capabilities));
  return {
    name,
    wall: compileWall(alter(spec), capabilities),
    plugins,
    launcher: generation.programs.launcher,
    bwrap: capabilities.bubblewrap?.path ?? "bwrap",
    ...(uid === undefined ? {} : { uid }),
    run: paths.run,
    port: plan.ingress.port,
    openclaw: plan.openclaw.version,
    state: join(home, relative(INSIDE.home, INSIDE.state)),
    ...(shared === undefined || ports === undefined ? {} : { gateway: ports.gateway }),
  };
}

function policiesFor(
  input: BotWallInput,
  base: string,
  capabilities: HostCapabilities,
): Pick<BotWallInput, "policies"> {
  if (input.agents === undefined) return {};
  const folder = policiesFolder(base, input.plan.name);
  return { policies: { folder, names: putToolPolicies(folder, input, capabilities) } };
}

function same(spec: WallSpec): WallSpec {
  return spec;
}

/** Writes what the bot is told, and gives its wall where nothing can be mounted. */
function sharedSpec(
  input: BotWallInput,
  options: {
    readonly paths: StatePaths;
    readonly uid: number | undefined;
    readonly ports: SharedPort | undefined;
  },
): WallSpec {
  const { plan, bot, programs, trust } = input;
  const { paths, uid, ports } = options;
  const folders = sharedFolders(paths, { plan, programs, bot });
  const inside = sharedInside(folders, { programs, bot });
  const cas = writeTold(folders, { inside, bot, programs, trust, uid });
  const { temporary } = folders;
  return sharedWall({ ...input, inside, temporary, cas, locks: makeLocks(uid), ports });
}

/** Only ever made here, in a folder that no bot can write to; what is in it is the bot's. */
function makeHome(home: string, uid: number | undefined): string {
  if (!existsSync(home)) {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    if (uid !== undefined) chownSync(home, uid, uid);
  }
  return home;
}

/** PEM text of the CAs that this host trusts. */
export function publicCas(): string {
  const bundle = BUNDLES.find((path) => existsSync(path));
  return bundle === undefined ? rootCertificates.join("\n") : readFileSync(bundle, "utf8");
}
