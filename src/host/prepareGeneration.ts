import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Fault } from "../declaration/index.ts";
import {
  ensureNode,
  ensureOpenClaw,
  readPin,
  renderConfig,
  validateConfig,
  type InstalledOpenClaw,
} from "../openclaw/index.ts";
import type { BotPlan } from "../plan/index.ts";
import { probeHost, requireWall, type HostCapabilities } from "../wall/index.ts";
import { findCommands } from "./findCommand.ts";
import type { BotGeneration, Generation, Programs } from "./Generation.ts";
import { HostError } from "./HostError.ts";
import { INSIDE } from "./inside.ts";
import { readCas, type LoadedDeclaration } from "./loadDeclaration.ts";
import type { StatePaths } from "./statePaths.ts";

type Progress = (text: string) => void;

/**
 * Brings everything a declaration needs to run here and checks it: programs, commands, CA files,
 * and the rendered configuration by the pinned OpenClaw itself. Changes nothing but the store.
 *
 * @throws WallError when this host can't enforce the wall; OpenClawError, HostError,
 *   DeclarationError for what is wrong with the rest.
 */
export async function prepareGeneration(
  loaded: LoadedDeclaration,
  paths: StatePaths,
  progress: Progress,
): Promise<Omit<Generation, "number">> {
  const cas = readCas(loaded);
  const commands = Object.fromEntries(
    loaded.plan.bots.map((bot) => [bot.name, findCommands(bot.commands, bot.name)]),
  );
  const programs = await bringPrograms(paths);
  const installed = await bringOpenClaw(loaded, paths, progress);
  const bots: Record<string, BotGeneration> = {};
  const faults: Fault[] = [];
  for (const bot of loaded.plan.bots) {
    const openclaw = installed.get(bot.openclaw.version);
    if (openclaw === undefined) continue;
    const rendered = renderConfig(bot, INSIDE);
    progress(`asking OpenClaw ${bot.openclaw.version} about the configuration of ${bot.name}`);
    faults.push(...(await configFaults(bot, rendered, openclaw, programs)));
    bots[bot.name] = {
      openclaw,
      rendered,
      commands: commands[bot.name] ?? [],
      cas: cas[bot.name] ?? {},
    };
  }
  if (faults.length > 0) throw loaded.refuse(faults);
  return {
    created: new Date().toISOString(),
    declaration: loaded.file,
    plan: loaded.plan,
    programs,
    bots,
  };
}
