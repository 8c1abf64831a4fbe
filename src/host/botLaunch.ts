import { chownSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { rootCertificates } from "node:tls";
import { trustBundle, type Authority } from "../authority/index.ts";
import type { BotPlan } from "../plan/index.ts";
import { boundsMemory, compileWall, type HostCapabilities, type WallSpec } from "../wall/index.ts";
import { makeAgentsFolder } from "./agentsFolder.ts";
import { botWall, type BotWallInput } from "./botWall.ts";
import { phantomEnvironment } from "./brokerConfig.ts";
import type { Generation } from "./Generation.ts";
import { HostError } from "./HostError.ts";
import { INSIDE } from "./inside.ts";
import { gatewayToken, phantomKey } from "./hostKeys.ts";
import { pluginLaunch } from "./pluginLaunch.ts";
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
  /** For a copy of the wall that is to be attacked: what it runs in place of OpenClaw. */
  readonly alter?: (spec: WallSpec) => WallSpec;
}): BotLaunch {
  const { plan, generation, paths, authority, capabilities, uid, alter = (spec) => spec } = options;
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
  };
  const plugins = plan.openclaw.plugins.map((name) => pluginLaunch(name, input, capabilities));
  return {
    name,
    wall: compileWall(alter(botWall(input)), capabilities),
    plugins,
    launcher: generation.programs.launcher,
    bwrap: capabilities.bubblewrap?.path ?? "bwrap",
    ...(uid === undefined ? {} : { uid }),
    port: plan.ingress.port,
    openclaw: plan.openclaw.version,
    state: join(home, relative(INSIDE.home, INSIDE.state)),
  };
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
