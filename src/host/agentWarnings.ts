import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "../plan/index.ts";
import type { HealthWarning } from "./status.ts";

/** What the last synchronization of agents left for a person (`sync.json`, src/agents/AgentFiles.ts). */
interface Left {
  readonly report?: {
    readonly failed?: string;
    readonly conflict?: string;
    readonly held?: readonly unknown[];
  };
}

/** @param base the folder with `agents` (agentsFolder.ts). */
export function agentWarnings(base: string, { bots }: Pick<Plan, "bots">): HealthWarning[] {
  return bots
    .filter(({ openclaw }) => openclaw.agents !== undefined)
    .flatMap(({ name }) =>
      Object.entries(readLeft(join(base, "agents", name, "sync.json"))).flatMap(([agent, left]) =>
        warningOf(name, agent, left),
      ),
    );
}

function warningOf(bot: string, agent: string, { report }: Left): HealthWarning[] {
  const key = `agent:${bot}:${agent}`;
  const again = `then type: seawall agent sync ${agent} --bot ${bot}`;
  if (report?.failed !== undefined) {
    return [
      {
        key,
        warning: `agent ${agent} of ${bot} isn't synchronized: ${report.failed}`,
        remedy: `mend that, ${again}`,
      },
    ];
  }
  if (report?.conflict !== undefined) {
    return [
      {
        key,
        warning: `agent ${agent} of ${bot} and its repository differ; its commits are in branch ${report.conflict}`,
        remedy: `merge the branch, ${again}`,
      },
    ];
  }
  const held = report?.held?.length ?? 0;
  if (held === 0) return [];
  return [
    {
      key,
      warning: `${held} ${held === 1 ? "file" : "files"} of agent ${agent} of ${bot} are held back and in no repository`,
      remedy: `see which: seawall agent sync ${agent} --bot ${bot}`,
    },
  ];
}

function readLeft(file: string): Readonly<Record<string, Left>> {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Record<string, Left>;
  } catch {
    // None was made yet; one that is damaged is told of by the command itself.
    return {};
  }
}
