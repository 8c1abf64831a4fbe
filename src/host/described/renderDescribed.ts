import type { Fault } from "../../declaration/index.ts";
import { hasBridge, type TargetFile } from "../../targets/index.ts";
import { HostError } from "../HostError.ts";
import type { LoadedDeclaration } from "../loadDeclaration.ts";
import { refuseWhatServicesLack } from "../systemd/switchSystem.ts";
import { refusal } from "../prepareGeneration.ts";
import { describedFiles, describedGeneration } from "./describedSystem.ts";
import { judgeConfig } from "./judgeConfig.ts";
import type { MachineDescription } from "./MachineDescription.ts";

/**
 * All files for a described machine, once the pinned OpenClaw has taken every bot's configuration.
 *
 * @throws DeclarationError with OpenClaw's objections, HostError, OpenClawError, TargetError.
 */
export async function renderDescribed(
  loaded: LoadedDeclaration,
  machine: MachineDescription,
  progress: (text: string) => void,
): Promise<readonly TargetFile[]> {
  const { plan: whole } = loaded;
  if (whole.autoUpdate !== undefined) {
    throw new HostError(
      "cannot-serve",
      "autoUpdate moves a machine that keeps its own generations; this one gets its files from elsewhere",
      { hint: "leave it out, and build again for a newer OpenClaw" },
    );
  }
  const busy = whole.bots.find(({ openclaw }) => openclaw.agents !== undefined);
  if (busy !== undefined) {
    throw new HostError(
      "cannot-serve",
      `bot "${busy.name}" has agents, which a machine that gets its files from elsewhere doesn't make`,
      { hint: "leave agents out, or run the bot with: seawall up" },
    );
  }
  const talking = whole.bots.find((bot) => hasBridge(bot));
  if (talking !== undefined) {
    throw new HostError(
      "cannot-serve",
      `bot "${talking.name}" has the bridge, whose user a machine that gets its files from elsewhere doesn't make`,
      { hint: "leave the bridge out, or run the bots with: seawall up" },
    );
  }
  refuseWhatServicesLack(whole, { caddy: machine.programs.caddy, fromElsewhere: true });
  const generation = await describedGeneration(loaded, machine);
  const faults: Fault[] = [];
  for (const plan of loaded.plan.bots) {
    const bot = generation.bots[plan.name];
    if (bot === undefined)
      throw new HostError("damaged-state", `bot "${plan.name}" isn't prepared`);
    progress(`asking OpenClaw ${plan.openclaw.version} about the configuration of ${plan.name}`);
    const issues = await judgeConfig(plan, bot, process.execPath);
    faults.push(...issues.map((issue) => refusal(plan, issue)));
  }
  if (faults.length > 0) throw loaded.refuse(faults);
  return describedFiles(generation, machine);
}
