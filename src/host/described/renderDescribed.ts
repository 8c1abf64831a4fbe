import type { Fault } from "../../declaration/index.ts";
import type { TargetFile } from "../../targets/index.ts";
import { HostError } from "../HostError.ts";
import type { LoadedDeclaration } from "../loadDeclaration.ts";
import { refuseWhatServicesLack } from "../systemd/switchSystem.ts";
import { refusal } from "../prepareGeneration.ts";
import { describedFiles, describedGeneration } from "./describedSystem.ts";
import { judgeConfig } from "./judgeConfig.ts";
import type { MachineDescription } from "./MachineDescription.ts";
import { refuseAutoUpdate } from "./refuseAutoUpdate.ts";

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
  refuseAutoUpdate(whole);
  refuseWhatServicesLack(whole, { caddy: machine.programs.caddy });
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
