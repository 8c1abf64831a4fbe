import type { SharedFilters } from "../../wall/index.ts";
import type { Target, TargetFile } from "../Target.ts";
import { TargetError } from "../TargetError.ts";
import { agentUnits } from "./agentUnits.ts";
import { bridgeUnits } from "./bridgeUnits.ts";
import { brokerUnits } from "./brokerUnits.ts";
import { browserUnits } from "./browserUnits.ts";
import { deploymentUnits } from "./deploymentUnits.ts";
import { exposeFiles } from "./expose/exposeFiles.ts";
import { tailscaleUnits } from "./expose/tailscaleUnits.ts";
import { gatewayUnits } from "./gatewayUnits.ts";
import { installUnits } from "./installUnits.ts";
import type { SystemdInput } from "./SystemdInput.ts";
import { updateUnits } from "./updateUnits.ts";

/**
 * Units, users, folders and policies for a machine with systemd. What it can't print, since it is
 * this machine's own (phantoms, tokens, leaf certificates, the bundle of CAs), `seawall switch`
 * puts beside it, in `private/`.
 */
export const systemdTarget: Target<SystemdInput> = {
  name: "systemd",
  summary: "units, users and folders for any Linux with systemd",
  render: ({ plan, bots, system, update, agents, bridge }) => {
    const filters: SharedFilters = new Map();
    const files: TargetFile[] = [
      ...deploymentUnits(plan, system),
      ...exposeFiles(plan, system),
      ...tailscaleUnits(plan, system),
      ...updateUnits(plan, update, system),
      ...agentUnits(plan, agents, system),
      ...bridgeUnits(plan, bridge, system, filters),
    ];
    for (const bot of plan.bots) {
      const walls = bots[bot.name];
      if (walls === undefined) {
        throw new TargetError("unprintable", `bot "${bot.name}" has no wall to print`);
      }
      files.push(
        ...gatewayUnits(bot, walls, system, filters),
        ...brokerUnits(plan, bot, walls, system, filters),
        ...browserUnits(bot, walls, system, filters),
        ...installUnits(bot, walls, system),
      );
    }
    return files.toSorted((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
  },
};
