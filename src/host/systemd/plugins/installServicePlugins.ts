import { chmodSync, chownSync, mkdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { hasPlugin, readPin } from "../../../openclaw/index.ts";
import type { BotPlan } from "../../../plan/index.ts";
import { botUnits, scratchPlace, type SystemdSystem } from "../../../targets/index.ts";
import type { Generation } from "../../Generation.ts";
import { HostError } from "../../HostError.ts";
import { SERVICE_INSIDE } from "../../inside.ts";
import { machineInForce } from "../machineInForce.ts";
import { requireSystem } from "../requireSystem.ts";
import { run, runOk } from "../run.ts";
import { generationFolder } from "../SystemGeneration.ts";
import { stopUnits } from "../systemctl.ts";
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

/** What the units begin with; one switch at a time is at work. No role of a bot's units is called so. */
const PREFIX = "seawall-plugins";
const FOLDER = `/run/${PREFIX}`;

/** 33 s were measured; most of it is OpenClaw and npm starting several times. */
const TIMEOUT_S = 300;

interface Options {
  readonly paths: SystemPaths;
  readonly generation: Generation;
  /** Of the deployment's programs. */
  readonly store: string;
  readonly progress: (text: string) => void;
}

/**
 * Installs what bots of a generation lack of their plugins, one after the other, before they are
 * started: each in units that are gone afterwards. All units of such a bot are stopped.
 *
 * @throws HostError `plugin-not-installed`
 */
export async function installServicePlugins(options: Options): Promise<void> {
  const { paths, generation } = options;
  for (const bot of generation.plan.bots) {
    const lacking = bot.openclaw.plugins.filter((plugin) => lacks(paths, bot, plugin));
    if (lacking.length === 0) continue;
    // Its sockets, too, which would start the broker: its record has one writer.
    await stopUnits(Object.values(botUnits(bot.name)));
    for (const plugin of lacking) await install(bot, plugin, options);
  }
}

/** What a switch that was ended by force left: its broker would be another writer of a bot's record. */
export async function removeLeftInstallation(): Promise<void> {
  const left = temporaryUnitsOf(FOLDER);
  if (left.length > 0) await removeTemporaryUnits(left);
  rmSync(FOLDER, { recursive: true, force: true });
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
  const scratch = scratchPlace(join(FOLDER, "run"), name).unit;
  const names = [...Object.values(units), scratch] as string[];
  try {
    mkdirSync(FOLDER, { mode: 0o711 });
    chmodSync(FOLDER, 0o711);
    const { system: found, place } = await machineInForce(paths, {
      version: await requireSystem(),
      programs: generation.programs,
      store,
    });
    const system: SystemdSystem = {
      ...found,
      prefix: PREFIX,
      paths: {
        generation: join(FOLDER, "generation"),
        state: paths.state,
        runtime: join(FOLDER, "run"),
        vault: paths.vault,
      },
    };
    const folder = generationFolder(paths, generation.number);
    const inForce = system.paths.generation;
    putFiles(inForce, pluginUnits({ generation, bot, plugin, folder, system, place }));
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
    rmSync(FOLDER, { recursive: true, force: true });
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
