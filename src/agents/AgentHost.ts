import type { AgentFiles } from "./AgentFiles.ts";
import type { BotAgents } from "./BotAgents.ts";
import type { Workspace } from "./inside/Job.ts";
import type { Workers } from "./Workers.ts";

/** What the verbs work with. */
export interface AgentHost {
  readonly agents: BotAgents;
  readonly files: AgentFiles;
  readonly workers: Workers;
  /** The bot's home as its OpenClaw sees it. */
  readonly inside: string;
  readonly progress: (text: string) => void;
  /** Writes what the gateway reads, and returns when a running one has taken it up. */
  readonly putLive: (text: string, expect: TakenUp) => Promise<void>;
  /** Whether the bot was started with what makes walls for its agents' tools. */
  readonly hasToolWalls: () => boolean;
  /** Whether what starts containers for them runs, outside of its wall. */
  readonly hasContainers: () => boolean;
  readonly now: () => Date;
}

/** What a gateway that took it up says. */
export interface TakenUp {
  readonly agent: string;
  readonly channel?: string;
}

export function workspaceOf(
  { workers }: Pick<AgentHost, "workers">,
  name: string,
  repository: { readonly kind: "gitea" | "github" | "path"; readonly url: string },
): Workspace {
  const variables = { gitea: "GITEA_TOKEN", github: "GH_TOKEN", path: undefined };
  const variable = variables[repository.kind];
  return {
    agent: name,
    home: workers.home,
    folder: `agents/${name}`,
    git: workers.git(name),
    remote: repository.kind === "path" ? workers.bare(name) : repository.url,
    ...(variable === undefined ? {} : { variable }),
  };
}
