import type { Plan } from "../../plan/index.ts";
import type { TargetFile } from "../Target.ts";
import { TargetError } from "../TargetError.ts";
import { journalFields, unit } from "./brokerUnits.ts";
import { knownDirectives } from "./directives.ts";
import { COMMAND_HARDENING } from "./hardening.ts";
import { AGENTS_TIMER, AGENTS_UNIT, SLICE_UNIT, TARGET_UNIT } from "./names.ts";
import type { SystemdAgents, SystemdSystem } from "./SystemdInput.ts";
import { environment, plainWord, type Directives } from "./unitFile.ts";

/**
 * What synchronizes the agents of all bots every 15 minutes. Root's: it starts walls as the bots' users, and a broker
 * that reads the secret of their repositories. The programs in there are walled by the command itself.
 */
export function agentUnits(
  plan: Plan,
  agents: SystemdAgents | undefined,
  { programs, version }: SystemdSystem,
): TargetFile[] {
  if (!hasAgents(plan)) return [];
  if (agents === undefined)
    throw new TargetError("unprintable", "there is nothing to synchronize agents by");
  const words = [...programs.seawall, "agent", "sync", "--file", agents.declaration];
  const service: Directives = [
    ["Type", "oneshot"],
    ["ExecStart", words.map(plainWord).join(" ")],
    // 1: something of an agent's needs a person; `seawall status` says what.
    ["SuccessExitStatus", "1"],
    ["Slice", SLICE_UNIT],
    ["Nice", "10"],
    ["TimeoutStartSec", "14min"],
    ["KillMode", "mixed"],
    ...environment(agents.environment),
    ...COMMAND_HARDENING,
    ["MemoryMax", "4G"],
    ...journalFields("all", "agents"),
  ];
  return [
    unit(AGENTS_TIMER, [
      [
        "Unit",
        [
          ["Description", "Seawall: when to synchronize agents"],
          ["PartOf", TARGET_UNIT],
        ],
      ],
      [
        "Timer",
        [
          ["OnActiveSec", "15min"],
          ["OnUnitActiveSec", "15min"],
          ["Unit", AGENTS_UNIT],
        ],
      ],
    ]),
    unit(AGENTS_UNIT, [
      [
        "Unit",
        [
          ["Description", "Seawall: synchronizes agents"],
          ["Wants", "network-online.target"],
          ["After", "network-online.target"],
        ],
      ],
      ["Service", knownDirectives(service, version)],
    ]),
  ];
}

export function hasAgents({ bots }: Plan): boolean {
  return bots.some(({ openclaw }) => openclaw.agents !== undefined);
}
