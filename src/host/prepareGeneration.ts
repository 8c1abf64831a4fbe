import type { Fault } from "../declaration/index.ts";
import {
  ensureNode,
  ensureOpenClaw,
  readPin,
  registryUrl,
  renderConfig,
  type ConfigIssue,
  type InsidePaths,
  type InstalledOpenClaw,
  type InstallProgress,
  type RenderedOpenClaw,
} from "../openclaw/index.ts";
import { clientCommands, type BotPlan, type Plan } from "../plan/index.ts";
import { isShared, WallError, type HostCapabilities } from "../wall/index.ts";
import { bringBrowser } from "./browserSetup.ts";
import { findImage, findPodman } from "./containers/findImage.ts";
import { probeAsBot, requireWall } from "./examineHost.ts";
import { findCommands } from "./findCommand.ts";
import type { BotGeneration, Generation, Programs } from "./Generation.ts";
import { HostError } from "./HostError.ts";
import { INSIDE } from "./inside.ts";
import { nativeModules } from "./nativeModules.ts";
import { readCas, readMintCas, type LoadedDeclaration } from "./loadDeclaration.ts";
import type { StatePaths } from "../paths/index.ts";
import { requireMac } from "./mac/requireMac.ts";
import { requireShared } from "./shared/requireShared.ts";
import { noteTaken, wasTaken } from "./takenConfigs.ts";
import { sharedFolders, sharedInside, type SharedParts } from "./shared/sharedInside.ts";
import { storeClient, storeLauncher } from "./storeLauncher.ts";
import { storeNpm } from "./storeNpm.ts";
import { validateInWall } from "./validateInWall.ts";
import { warmBroker } from "./warmBroker.ts";

type Progress = (text: string) => void;

/** Has OpenClaw judge one bot's configuration, in a wall like the one that it will run in. */
type Validate = (input: {
  readonly plan: BotPlan;
  readonly bot: BotGeneration;
  readonly programs: Programs;
}) => Promise<readonly ConfigIssue[]>;

/**
 * Whatever makes the wall: finds out whether this host can enforce it.
 *
 * @throws WallError when it can't
 */
export type Enforcement = (
  programs: Programs,
  plan: Plan,
) => Promise<{
  readonly validate: Validate;
  /** Bots that get no namespaces of their own. */
  readonly shared?: ReadonlySet<string>;
  /** The images of agents' containers by bot, and Podman of this host. */
  readonly containers?: { readonly podman: string; readonly images: ReadonlyMap<string, string> };
}>;

/** What `seawall up` has: bubblewrap and the launcher, or Seatbelt. */
const localEnforcement: Enforcement = async ({ launcher }, plan) => {
  const capabilities = await probeAsBot(launcher);
  for (const { name, concessions } of plan.bots) requireBotWall(name, capabilities, concessions);
  const shared = plan.bots.filter(({ concessions }) =>
    isShared({ namespaces: "own", concessions }, capabilities),
  );
  for (const bot of shared) requireShared(bot);
  const containers = await bringContainers(plan);
  return {
    ...(containers === undefined ? {} : { containers }),
    validate: (input) => validateInWall({ ...input, capabilities }),
    shared: new Set(shared.map(({ name }) => name)),
  };
};

/** Nothing where no bot's agents may have containers. @throws HostError `no-command`, `no-image` */
async function bringContainers(
  plan: Plan,
): Promise<Awaited<ReturnType<Enforcement>>["containers"]> {
  const images = new Map<string, string>();
  for (const { name, openclaw } of plan.bots) {
    if (openclaw.agentImage === undefined) continue;
    images.set(name, await findImage(findPodman(), openclaw.agentImage, name));
  }
  return images.size === 0 ? undefined : { podman: findPodman(), images };
}

function requireBotWall(
  bot: string,
  capabilities: HostCapabilities,
  concessions: BotPlan["concessions"],
): void {
  try {
    requireWall(capabilities, concessions);
  } catch (error) {
    if (!(error instanceof WallError) || error.code !== "user-namespaces") throw error;
    const less = `or do with less (docs/wall.md): "concessions": ["no-user-namespaces"] in bot "${bot}"`;
    const hint = error.hint === undefined ? less : `${error.hint}; ${less}`;
    throw new WallError(error.code, error.message, { hint, cause: error });
  }
}

/**
 * Brings everything a declaration needs to run here and checks it: the wall, programs, commands, CA
 * files, and the rendered configuration by the pinned OpenClaw itself. Changes nothing but the store.
 *
 * @throws WallError when this host can't enforce the wall; OpenClawError, HostError,
 *   DeclarationError for what is wrong with the rest.
 */
export async function prepareGeneration(
  loaded: LoadedDeclaration,
  paths: StatePaths,
  progress: Progress,
  enforcement: Enforcement = localEnforcement,
  inside: InsidePaths = INSIDE,
): Promise<Omit<Generation, "number">> {
  requireMac(loaded.plan);
  const cas = readCas(loaded);
  const mintCas = readMintCas(loaded);
  const programs = await bringPrograms(paths, loaded.plan);
  // Before half a gigabyte is brought that could not be used.
  const { validate, shared, containers } = await enforcement(programs, loaded.plan);
  const installed = new Map<string, InstalledOpenClaw>();
  const bots: Record<string, BotGeneration> = {};
  const faults: Fault[] = [];
  const renderShared = (plan: BotPlan, bot: SharedParts["bot"]): RenderedOpenClaw =>
    renderConfig(
      plan,
      sharedInside(sharedFolders(paths, { plan, programs, bot }), { programs, bot }),
      readPin(plan.openclaw.version),
    );
  for (const plan of loaded.plan.bots) {
    const commands = findCommands(plan.commands, plan.name);
    const pin = readPin(plan.openclaw.version);
    const openclaw =
      installed.get(pin.version) ??
      (await ensureOpenClaw(pin, paths.store, {
        onProgress: installProgress(pin.version, progress),
      }));
    installed.set(pin.version, openclaw);
    const natives = await nativeModules(openclaw.root);
    const image = containers?.images.get(plan.name);
    const parts = {
      openclaw,
      natives,
      commands,
      cas: cas[plan.name] ?? {},
      ...(image === undefined ? {} : { image }),
    };
    const bot: BotGeneration =
      shared?.has(plan.name) === true
        ? { ...parts, shared: true, rendered: renderShared(plan, parts) }
        : { ...parts, rendered: renderConfig(plan, inside, pin) };
    bots[plan.name] = bot;
    if (wasTaken(paths.store, bot)) continue;
    progress(`asking OpenClaw ${openclaw.version} about the configuration of ${plan.name}`);
    const issues = await validate({ plan, bot, programs });
    faults.push(...issues.map((issue) => refusal(plan, issue)));
    if (issues.length === 0) noteTaken(paths.store, bot);
  }
  if (faults.length > 0) throw loaded.refuse(faults);
  const { file, plan } = loaded;
  return {
    created: new Date().toISOString(),
    declaration: file,
    plan,
    programs: {
      ...programs,
      ...(containers === undefined ? {} : { podman: containers.podman }),
    },
    bots,
    mintCas,
  };
}

async function bringPrograms(paths: StatePaths, plan: Plan): Promise<Programs> {
  const node = await ensureNode(process.execPath, paths.store);
  await warmBroker(node.entry, paths.store);
  // macOS's sh only looks for which shell is to be it.
  const [shell] = findCommands([process.platform === "darwin" ? "bash" : "sh"], "any");
  if (shell === undefined) throw new HostError("no-command", "this host has no shell");
  const plugins = plan.bots.some(({ openclaw }) => openclaw.plugins.length > 0);
  const npm = plugins
    ? { npm: { folder: storeNpm(paths.store), registry: await registryUrl() } }
    : {};
  const client = plan.bots.some((bot) => clientCommands(bot).length > 0)
    ? { client: storeClient(paths.store) }
    : {};
  return {
    node: node.entry,
    launcher: storeLauncher(paths.store),
    shell: shell.path,
    ...client,
    ...npm,
    ...bringBrowser(plan, paths.store),
  };
}

/** OpenClaw names a place in its own configuration; most of that comes from the bot's settings. */
export function refusal(
  plan: BotPlan,
  issue: { readonly path: string; readonly message: string },
): Fault {
  const keys = issue.path.split(".").filter((key) => key !== "");
  return {
    code: "refused-by-openclaw",
    path: ["bots", plan.name, "settings", ...keys],
    atKey: true,
    message: `OpenClaw ${plan.openclaw.version} refuses ${issue.path || "the configuration"}: ${issue.message}`,
    hint: "see the settings of that version of OpenClaw",
  };
}

/** Turns steps into lines, one for each tenth, so that a person sees that it goes on. */
function installProgress(version: string, progress: Progress): (step: InstallProgress) => void {
  let last = "";
  return (step) => {
    const line = describe(step);
    if (line !== last) progress(`OpenClaw ${version}: ${line}`);
    last = line;
  };
}

function describe(step: InstallProgress): string {
  switch (step.phase) {
    case "waiting":
      return "waiting for another install";
    case "saving":
      return "writing to disk";
    case "downloading":
      return `installing packages, ${tenths(step)} % of ${step.total}`;
    case "checking":
      return `checking ${Math.round(step.total / 1e6)} MB against the pin, ${tenths(step)} %`;
    default:
      return step satisfies never;
  }
}

function tenths({ done, total }: { readonly done: number; readonly total: number }): number {
  return total === 0 ? 0 : Math.min(100, Math.floor((done / total) * 10) * 10);
}
