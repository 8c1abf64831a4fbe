import type { Plan } from "../../plan/index.ts";
import { HostError } from "../HostError.ts";

/** @throws HostError `cannot-serve` for a bot whose agents may have containers: what keeps them is the supervisor's. */
export function refuseContainers({ bots }: Plan): void {
  const bot = bots.find(({ openclaw }) => openclaw.agentImage !== undefined);
  if (bot === undefined) return;
  throw new HostError(
    "cannot-serve",
    `bot "${bot.name}" wants containers, which units don't start`,
    {
      hint: 'agents\' tools in Podman take "seawall up"; here use: tools: "wall" (docs/agents.md)',
    },
  );
}
