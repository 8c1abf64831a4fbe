import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { hasPlugin, readPin } from "../../../openclaw/index.ts";
import type { BotPlan } from "../../../plan/index.ts";
import {
  botUnits,
  privateFolder,
  scratchPlace,
  type SystemdSystem,
} from "../../../targets/index.ts";
import type { Generation } from "../../Generation.ts";
import { HostError } from "../../HostError.ts";
import { SERVICE_INSIDE } from "../../inside.ts";
import { machineInForce } from "../machineInForce.ts";
import { requireSystem } from "../requireSystem.ts";
import { run, runOk } from "../run.ts";
import { generationFolder } from "../SystemGeneration.ts";
import type { SystemPaths } from "../systemPaths.ts";
import {
  addTemporaryUnits,
  putFiles,
  removeTemporaryUnits,
  temporaryUnitsOf,
} from "../temporaryUnits.ts";
import { usersOf } from "../usersOf.ts";
import { readMarks, writeMark } from "./pluginMarks.ts";
import { pluginUnits } from "./pluginUnits.ts";

/** What the units begin with; for one bot, one at a time is at work. No role of a bot's units is called so. */
const PREFIX = "seawall-plugins";
const RUN = "/run";

/** Bots may be at work at the same time, where each is started by itself. */
function folderOf(bot: string): string {
  return join(RUN, `${PREFIX}-${bot}`);
}

/** 33 s were measured; most of it is OpenClaw and npm starting several times. */
const TIMEOUT_S = 300;

interface Options {
  readonly paths: SystemPaths;
  readonly generation: Generation;
  /** Of the deployment's programs. */
  readonly store: string;
  readonly progress: (text: string) => void;
  /** Before the first of a bot's: after it nothing of the bot runs, or comes to run until all are installed. */
  readonly quiet: (bot: string) => Promise<void>;
}

/**
 * Installs what bots of a generation lack of their plugins, one after the other, before they are
 * started: each in units that are gone afterwards. Its record has one writer, so its broker must not run.
 *
 * @throws HostError `plugin-not-installed`
 */
export async function installServicePlugins(options: Options): Promise<void> {
  const { paths, generation, quiet } = options;
  for (const bot of generation.plan.bots) {
    const lacking = bot.openclaw.plugins.filter((plugin) => lacks(paths, bot, plugin));
    if (lacking.length === 0) continue;
    await quiet(bot.name);
    for (const plugin of lacking) await install(bot, plugin, options);
  }
}

/**
 * What was left by one that was ended by force: its broker would be another writer of a bot's record.
 *
 * @param bot all bots where left out
 */
export async function removeLeftInstallation(bot?: string): Promise<void> {
  const folders =
    bot === undefined
      ? readdirSync(RUN)
          .filter((name) => name.startsWith(`${PREFIX}-`))
          .map((name) => join(RUN, name))
      : [folderOf(bot)];
  for (const folder of folders) {
    const left = temporaryUnitsOf(folder);
    if (left.length > 0) await removeTemporaryUnits(left);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The bot may take away what was installed, or have its folder say what isn't so. The first is seen, and
 * it is installed again; the second is believed only after it was true.
 */
function lacks({ state }: SystemPaths, { name, openclaw }: BotPlan, plugin: string): boolean {
  const pin = readPin(openclaw.version);
  const home = join(state, "bots", name);
  const inside = relative(SERVICE_INSIDE.home, SERVICE_INSIDE.state);
  if (!hasPlugin(plugin, join(home, inside), pin)) return true;
  return readMarks(state, name)[plugin] !== pin.plugins[plugin]?.integrity;
}

async function install(bot: BotPlan, plugin: string, options: Options): Promise<void> {
  const { paths, generation, store, progress } = options;
  progress(`installing ${plugin} into ${bot.name}`);
  const { name } = bot;
  const units = botUnits(name, PREFIX);
  const own = folderOf(name);
  const scratch = scratchPlace(join(own, "run"), name).unit;
  const names = [...Object.values(units), scratch] as string[];
  try {
    mkdirSync(own, { mode: 0o711 });
    chmodSync(own, 0o711);
    const { system: found, place } = await machineInForce(paths, {
      version: await requireSystem(),
      programs: generation.programs,
      store,
    });
    const system: SystemdSystem = {
      ...found,
      prefix: PREFIX,
      paths: {
        generation: join(own, "generation"),
        state: paths.state,
        runtime: join(own, "run"),
        vault: paths.vault,
      },
    };
    const current = privateFolder({
      ...found.paths,
      generation: generationFolder(paths, generation.number),
    });
    const inForce = system.paths.generation;
    putFiles(inForce, pluginUnits({ generation, bot, plugin, current, system, place }));
    const broker = usersOf({ ...generation.plan, bots: [bot] }).brokers.get(name);
    if (broker === undefined) throw new HostError("damaged-state", `there is no bot "${name}"`);
    chownSync(join(inForce, "private", name, "broker.json"), broker.uid, broker.gid);
    await runOk("systemd-tmpfiles", ["--create", join(inForce, "tmpfiles.conf")]);
    await addTemporaryUnits(
      inForce,
      names,
      new Map([
        [units.gateway, `Restart=no\nRuntimeMaxSec=${TIMEOUT_S}\n`],
        // Should this process be killed, nothing goes on for long.
        [units.broker, `Restart=no\nRuntimeMaxSec=${TIMEOUT_S + 60}\n`],
      ]),
    );
    await runOk("systemctl", ["start", "--", units.broker]);
    // How it ended is seen by what there is afterwards.
    await run("systemctl", ["start", "--wait", "--", units.gateway], {
      timeoutMs: (TIMEOUT_S + 30) * 1000,
    });
  } catch (cause) {
    throw notInstalled(bot, plugin, units.gateway, cause);
  } finally {
    await removeTemporaryUnits(names);
    rmSync(own, { recursive: true, force: true });
  }
  const pin = readPin(bot.openclaw.version);
  const integrity = pin.plugins[plugin]?.integrity;
  const home = join(paths.state, "bots", name);
  const inside = relative(SERVICE_INSIDE.home, SERVICE_INSIDE.state);
  if (integrity === undefined || !hasPlugin(plugin, join(home, inside), pin))
    throw notInstalled(bot, plugin, units.gateway);
  writeMark(paths.state, name, plugin, integrity);
}

function notInstalled(bot: BotPlan, plugin: string, unit: string, cause?: unknown): HostError {
  return new HostError(
    "plugin-not-installed",
    `plugin "${plugin}" could not be installed into bot "${bot.name}"`,
    {
      hint: `look at: journalctl -b -u ${unit}`,
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
