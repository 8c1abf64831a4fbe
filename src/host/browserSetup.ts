import { existsSync } from "node:fs";
import { issueLeaf, type Authority } from "../authority/index.ts";
import type { BotPlan, Plan, ProgramGrant } from "../plan/index.ts";
import {
  BROWSER_LIMITS,
  BROWSER_PROGRAM,
  browserWall,
  findChromium,
  USUAL_BYTES,
  USUAL_SECONDS,
  type BrowserRules,
} from "../services/index.ts";
import {
  boundsMemory,
  compileWall,
  type CompiledWall,
  type HostCapabilities,
  type WallSpec,
} from "../wall/index.ts";
import type { Generation, Programs } from "./Generation.ts";
import { HostError } from "./HostError.ts";
import { libraryFolders } from "./libraries.ts";
import { ownConcessions, ownProcessSpec, PROJECT, resolverFiles } from "./ownProcess.ts";
import { storeProgram } from "./storeProgram.ts";
import type { BrowserLaunch } from "./supervisor/BrowserWalls.ts";
import { brokerCache } from "./warmBroker.ts";

const SERVICE = "browser-fetch";
/** Where the gate's programs are; docs/browser-fetch.md. */
const GATE = "src/services/browser/gate";

/** Everything that running the bots' browsers takes. */
export interface BrowserSetup {
  readonly gate: CompiledWall;
  readonly launcher: string;
  readonly launches: readonly BrowserLaunch[];
  readonly bots: readonly { readonly bot: string; readonly rules: BrowserRules }[];
  readonly certificate: { readonly chain: string; readonly key: string };
  readonly executable: string;
}

/** The system's Chromium and our program for it, if a bot has a browser; nothing else is brought for it. */
export function bringBrowser(plan: Plan, store: string): Pick<Programs, "browser"> {
  if (!plan.bots.some((bot) => grantOf(bot) !== undefined)) return {};
  const chromium = findChromium();
  if (chromium === undefined) {
    throw new HostError("no-command", `"${SERVICE}" needs Chromium, which this host lacks`, {
      hint: "install it, on Debian with: apt-get install --no-install-recommends chromium",
    });
  }
  return { browser: { chromium, program: storeProgram(store, BROWSER_PROGRAM) } };
}

/** Name in the list of users for a bot's browser; no bot can be called like this. */
export function browserUser(bot: string): string {
  return `${bot} ${SERVICE}`;
}

/** The bots that have a browser. */
export function browserBots(plan: Plan): string[] {
  return plan.bots.flatMap((bot) => (grantOf(bot) === undefined ? [] : [bot.name]));
}

/**
 * Compiles the walls of the gate and of each bot's browser. Undefined where no bot has one.
 *
 * @param users uids by `browserUser`, when this runs as root.
 */
export async function browserSetup(options: {
  readonly generation: Generation;
  readonly store: string;
  readonly authority: Authority;
  /** Of the browsers' users, and of the supervisor's own. */
  readonly capabilities: HostCapabilities;
  readonly ours: HostCapabilities;
  readonly users: ReadonlyMap<string, number>;
}): Promise<BrowserSetup | undefined> {
  const { generation, store, authority, capabilities, ours, users } = options;
  const { node, launcher, browser } = generation.programs;
  const granted = generation.plan.bots.flatMap((bot) => {
    const grant = grantOf(bot);
    return grant === undefined ? [] : [{ bot, grant }];
  });
  if (granted.length === 0) return undefined;
  if (browser === undefined || !existsSync(browser.chromium)) {
    throw new HostError("damaged-state", "this generation's browser is not there any more", {
      hint: "apply the declaration anew with: seawall up",
    });
  }
  const { memory, ...others } = BROWSER_LIMITS;
  const limits =
    boundsMemory(capabilities.cgroups) && memory !== undefined ? { ...others, memory } : others;
  const launches = granted.map(({ bot }): BrowserLaunch => {
    const { concessions } = bot;
    const uid = users.get(browserUser(bot.name));
    return {
      bot: bot.name,
      wall: compileWall(
        { ...browserWall({ node, ...browser, limits }), concessions },
        capabilities,
      ),
      launcher,
      bwrap: capabilities.bubblewrap?.path ?? "bwrap",
      ...(uid === undefined ? {} : { uid }),
    };
  });
  const { chain, key } = await issueLeaf(authority, [GATE_NAME]);
  const { plan } = generation;
  const gate = gateSpec({
    node,
    main: "main.ts",
    cache: brokerCache(store),
    readable: [...libraryFolders(), ...resolverFiles()],
    bots: plan.bots,
  });
  return {
    gate: compileWall(gate, ours),
    launcher,
    launches,
    bots: granted.map(({ bot, grant }) => ({
      bot: bot.name,
      rules: rulesOf(grant, generation.bots[bot.name]?.cas[grant.name]),
    })),
    certificate: { chain, key },
    executable: browser.chromium,
  };
}

/**
 * The gate's own wall: like the broker's it runs in the host's network and is one process that can start
 * nothing; unlike it, it reads nothing but code and what name resolution needs, and writes nothing.
 */
export function gateSpec(gate: {
  readonly node: string;
  readonly project?: string;
  /** One of the gate's programs. */
  readonly main: "main.ts" | "serviceMain.ts";
  readonly cache: string;
  readonly readable: readonly string[];
  readonly bots: Parameters<typeof ownConcessions>[0];
}): WallSpec {
  const { node, project = PROJECT, main, cache, readable, bots } = gate;
  return ownProcessSpec({
    hostname: "gate",
    node,
    project,
    flags: ["--max-semi-space-size=2", "--max-old-space-size=512"],
    main: `${project}/${GATE}/${main}`,
    cache,
    readable,
    concessions: ownConcessions(bots),
  });
}

/** What the gate is told of one bot; undefined for one without a browser. */
export function gateRules(
  bot: BotPlan,
  cas: Readonly<Record<string, string>>,
): BrowserRules | undefined {
  const grant = grantOf(bot);
  return grant === undefined ? undefined : rulesOf(grant, cas[grant.name]);
}

/** A name that no host has: the gate shows one certificate for all. */
export const GATE_NAME = "browser.seawall.invalid";

function grantOf({ grants }: BotPlan): ProgramGrant | undefined {
  return grants.find(
    (grant): grant is ProgramGrant => grant.kind === "program" && grant.service === SERVICE,
  );
}

function rulesOf({ options, dial }: ProgramGrant, ca: string | undefined): BrowserRules {
  const { allowHosts, seconds, pageBytes } = options;
  return {
    hosts: Array.isArray(allowHosts) ? allowHosts.map(String) : [],
    networks: dial?.networks ?? [],
    ...(ca === undefined ? {} : { ca }),
    seconds: typeof seconds === "number" ? seconds : USUAL_SECONDS,
    bytes: typeof pageBytes === "number" ? pageBytes : USUAL_BYTES,
  };
}
