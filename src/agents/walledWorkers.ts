import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import type { DeclaredGrant } from "../declaration/index.ts";
import {
  agentWorkers,
  applyCommand,
  makeAgentsOwn,
  prepareTool,
  type LoadedDeclaration,
  type StatePaths,
} from "../host/index.ts";
import type { Mount } from "../wall/index.ts";
import { AgentError } from "./AgentError.ts";
import type { AgentFiles } from "./AgentFiles.ts";
import type { BotAgents } from "./BotAgents.ts";
import type { Job } from "./inside/Job.ts";
import { readAnswer } from "./readAnswer.ts";
import type { Workers } from "./Workers.ts";

const PROGRAM = {
  name: "agents",
  sources: ["agents/inside", "shapes"],
  packages: ["@secretlint/secretlint-rule-preset-recommend"],
};
const HOME = "/home/bot";

/**
 * Does jobs in walls. Those that call an API see no file of a bot's; those that look at a workspace, which a
 * bot writes, may call nothing but git at its repository, and run as the bot's user. The history is
 * mounted at a place that changes each time, so that no link in a workspace leads to it.
 */
export async function walledWorkers(options: {
  readonly loaded: LoadedDeclaration;
  readonly paths: StatePaths;
  readonly agents: BotAgents;
  readonly files: AgentFiles;
  /** The bot's folder on this host. */
  readonly home: string;
  readonly api: Readonly<Record<string, DeclaredGrant>>;
  readonly git: Readonly<Record<string, DeclaredGrant>>;
  readonly askPassphrase: () => Promise<string>;
}): Promise<Workers & AsyncDisposable> {
  const { loaded, paths, agents, files, home } = options;
  if (!existsSync(home)) {
    throw new AgentError("no-home", `bot "${agents.bot}" has never run`, {
      hint: `start it first: ${applyCommand(paths)}`,
    });
  }
  // Seawall made the folder, in one that no bot writes to.
  const uid = process.getuid?.() === 0 ? statSync(home).uid : undefined;
  const tool = await prepareTool(paths, PROGRAM);
  const workers = agentWorkers({
    loaded,
    bot: agents.bot,
    paths,
    tool,
    main: "src/agents/inside/main.ts",
    idle: { do: "look", home: "/nonexistent", agents: [] } satisfies Job,
    askPassphrase: options.askPassphrase,
    grants: { api: options.api, git: options.git },
  });
  const hidden = `/srv/${randomBytes(12).toString("hex")}`;
  return {
    home: HOME,
    git: () => `${hidden}/git`,
    bare: () => `${hidden}/repository`,
    async run(job, agent) {
      const bare = repositoryOf(job, agents, agent, hidden);
      if (bare !== undefined) makeAgentsOwn(bare, uid);
      const repository: Mount[] =
        bare === undefined ? [] : [{ kind: "write", from: bare, to: `${hidden}/repository` }];
      const onWorkspace = ["begin-workspace", "drop-workspace", "sync", "look"].includes(job.do);
      let text: string;
      if (onWorkspace) {
        const history = files.git(agent);
        files.makeGitFolder();
        makeAgentsOwn(history, uid);
        const mounts: Mount[] = [
          { kind: "write", from: home, to: HOME },
          { kind: "write", from: history, to: `${hidden}/git` },
          ...repository,
        ];
        const offline = job.do === "look" || job.do === "drop-workspace";
        text = await workers.git.run({ job, mounts, uid, offline });
      } else {
        text = await workers.api.run({ job, mounts: repository, uid });
      }
      return readAnswer(text, job.do);
    },
    async [Symbol.asyncDispose]() {
      await workers[Symbol.asyncDispose]();
    },
  };
}

/** The bare repository of this host that a job is about, if it is. */
function repositoryOf(
  job: Job,
  agents: BotAgents,
  agent: string,
  hidden: string,
): string | undefined {
  const local =
    ("place" in job && job.place.kind === "path") ||
    ("workspace" in job &&
      "remote" in job.workspace &&
      job.workspace.remote.startsWith(`${hidden}/`));
  return local ? agents.bareFolder(agent) : undefined;
}
