import { basename } from "node:path";
import type { Generation } from "./Generation.ts";
import { whatItAmountsTo } from "./grantedPrograms.ts";

/** Something in a declaration that is allowed, and that its writer should know. */
export interface Warning {
  readonly bot: string;
  readonly warning: string;
  readonly hint?: string;
}

/** OpenClaw was measured to need 0.9 GB to start and up to 1.8 GB in a turn. */
const LEAST_MEMORY = 2 * 1024 ** 3;
/** It runs some thirty threads, Node's own included, and a few helpers. */
const LEAST_PROCESSES = 128;

/** Everything worth a warning in what is about to run. */
export function warningsFor({ plan, bots }: Pick<Generation, "plan" | "bots">): readonly Warning[] {
  return plan.bots.flatMap(({ name, resources }) => {
    const wide = (bots[name]?.commands ?? []).flatMap((command): Warning[] => {
      const amounts = whatItAmountsTo(command.name, basename(command.path));
      if (amounts === undefined) return [];
      return [
        {
          bot: name,
          warning: `granting "${command.name}" lets bot "${name}" ${amounts}`,
          hint: "nothing it runs reaches further than the bot itself; leave it out if it isn't needed",
        },
      ];
    });
    const few: Warning[] = [];
    if (resources?.memory !== undefined && resources.memory < LEAST_MEMORY)
      few.push({
        bot: name,
        warning: `bot "${name}" may use less memory than OpenClaw was seen to need`,
        hint: 'give it at least memory: "2G"',
      });
    if (resources?.processes !== undefined && resources.processes < LEAST_PROCESSES)
      few.push({
        bot: name,
        warning: `bot "${name}" may have fewer processes and threads than OpenClaw was seen to need`,
        hint: `give it at least processes: ${LEAST_PROCESSES}`,
      });
    return [...(bots[name]?.shared === true ? [sharedWarning(name)] : []), ...few, ...wide];
  });
}

/** What it comes to that this host has no user namespaces, which the bot concedes. */
function sharedWarning(bot: string): Warning {
  return {
    bot,
    warning:
      `bot "${bot}" runs without namespaces of its own: it sees the names of the host's files and processes, ` +
      `may connect to its proxy's and its gateway's port of any host, and its gateway can be reached by ` +
      `everybody on this one who has its token`,
    hint: "allow user namespaces (see: seawall doctor); what is kept is in docs/wall.md",
  };
}
