import { join } from "node:path";
import type { StatePaths } from "../../paths/index.ts";
import { botUnits, installUnit } from "../../targets/index.ts";
import { registryUrl } from "../../openclaw/index.ts";
import { HostError } from "../HostError.ts";
import { npmOf, storeNpm } from "../storeNpm.ts";
import {
  installServicePlugins,
  removeLeftInstallation,
} from "../systemd/plugins/installServicePlugins.ts";
import { currentSystemGeneration, readSystemGeneration } from "../systemd/SystemGeneration.ts";
import { showUnits, startUnits, stopUnits } from "../systemd/systemctl.ts";
import { systemPaths } from "../systemd/systemPaths.ts";
import { MACHINE_FILE } from "./describedSystem.ts";
import { readMachine } from "./MachineDescription.ts";

/**
 * Installs what one bot of the generation in force lacks of its plugins, as a switch does elsewhere. Run as root by
 * the unit that the bot's gateway waits for, and its broker: neither comes to run before it ends.
 *
 * @throws HostError `plugin-not-installed`, `no-such-bot`, `not-running`
 */
export async function installDescribed(
  name: string,
  paths: StatePaths,
  progress: (text: string) => void,
): Promise<void> {
  const places = systemPaths(paths);
  const number = currentSystemGeneration(places);
  if (number === undefined) throw new HostError("not-running", "nothing is in force");
  const machine = readMachine(join(places.current, MACHINE_FILE));
  const generation = readSystemGeneration(places, number);
  const bot = generation.plan.bots.find((each) => each.name === name);
  if (bot === undefined) throw new HostError("no-such-bot", `there is no bot "${name}"`);
  const { store } = paths;
  const folder = storeNpm(store);
  const npm = { folder, registry: machine.registry ?? (await registryUrl(npmOf(folder))) };
  const stopped: string[] = [];
  await removeLeftInstallation(name);
  try {
    await installServicePlugins({
      paths: places,
      generation: {
        ...generation,
        plan: { ...generation.plan, bots: [bot] },
        programs: { ...generation.programs, npm },
      },
      store,
      progress,
      quiet: async () => {
        stopped.push(...(await stopRunning(name)));
      },
    });
  } catch (error) {
    throw error instanceof HostError ? withNext(error, name) : error;
  } finally {
    await startUnits(stopped);
  }
}

/** What waits for us to end must not be stopped: it would not be started then. */
async function stopRunning(bot: string): Promise<string[]> {
  const { broker, gateway } = botUnits(bot);
  const states = await showUnits([broker, gateway]);
  const running = [...states].flatMap(([unit, { active }]) =>
    ["inactive", "failed"].includes(active) ? [] : [unit],
  );
  await stopUnits(running);
  return running;
}

function withNext(error: HostError, bot: string): HostError {
  const again = `then try it again with: systemctl restart ${installUnit(bot)}`;
  return new HostError(error.code, error.message, {
    hint: error.hint === undefined ? again : `${error.hint}; ${again}`,
    cause: error,
  });
}
