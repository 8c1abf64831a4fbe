import type { CommandPlan } from "./CommandPlan.ts";
import { formatOrigin } from "./formatOrigin.ts";
import type { BotPlan, Rule } from "./Plan.ts";

/** A client command of a bot, and the grant that brings it. */
export interface ClientCommand {
  readonly grant: string;
  readonly command: CommandPlan;
  /** What its grant allows, where that is calls by method and path. */
  readonly rules: readonly Rule[];
  /** Where those go, as origins; a path alone goes to the first. */
  readonly origins: readonly string[];
}

/** The client commands that exist inside a bot's wall, sorted by name. */
export function clientCommands({ grants }: Pick<BotPlan, "grants">): readonly ClientCommand[] {
  return grants
    .flatMap((grant): ClientCommand[] => {
      if (grant.kind === "program")
        return [{ grant: grant.name, command: grant.command, rules: [], origins: [] }];
      if (grant.kind !== "inject" || grant.command === undefined) return [];
      const rules = [...grant.rules, ...(grant.ask ?? [])];
      const origins = grant.hosts.map(formatOrigin);
      return [{ grant: grant.name, command: grant.command, rules, origins }];
    })
    .toSorted((a, b) => (a.command.name < b.command.name ? -1 : 1));
}
