import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
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
} from "../wall/index.ts";
import type { Generation, Programs } from "./Generation.ts";
import { HostError } from "./HostError.ts";
import { libraryFolders } from "./libraries.ts";
import { ownConcessions, ownProcessSpec, resolverFiles } from "./ownProcess.ts";
import { storeProgram } from "./storeProgram.ts";
import type { BrowserLaunch } from "./supervisor/BrowserWalls.ts";
import { brokerCache } from "./warmBroker.ts";

const SERVICE = "browser-fetch";
/** The gate's program; docs/browser-fetch.md. */
const GATE_MAIN = fileURLToPath(new URL("../services/browser/gate/main.ts", import.meta.url));

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
  const { chain, key } = await issueLeaf(authority, ["browser.seawall.invalid"]);
  return {
    gate: gateWall(generation, store, ours),
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
function gateWall(
  { programs, plan }: Generation,
  store: string,
  capabilities: HostCapabilities,
): CompiledWall {
  const spec = ownProcessSpec({
    hostname: "gate",
    node: programs.node,
    flags: ["--max-semi-space-size=2", "--max-old-space-size=512"],
    main: GATE_MAIN,
    cache: brokerCache(store),
    readable: [...libraryFolders(), ...resolverFiles()],
    concessions: ownConcessions(plan.bots),
  });
  return compileWall(spec, capabilities);
}

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
