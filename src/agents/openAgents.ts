import { join } from "node:path";
import {
  askSupervisor,
  auditFile,
  gatewayLog,
  hasContainers,
  hasSystemDeployment,
  hasToolPolicies,
  INSIDE,
  makeAgentsFolder,
  SERVICE_INSIDE,
  serviceRecordPaths,
  type LoadedDeclaration,
  type StatePaths,
} from "../host/index.ts";
import { AgentFiles, type ChannelKind } from "./AgentFiles.ts";
import type { AgentHost } from "./AgentHost.ts";
import { awaitTakenUp, sinceNow, type Since } from "./awaitTakenUp.ts";
import { BotAgents } from "./BotAgents.ts";
import type { RepositoryPlace } from "./inside/Job.ts";
import { walledWorkers } from "./walledWorkers.ts";

/** Which repositories and channels the verb is about: what its programs may call depends on it. */
export interface About {
  /** Whether repositories and channels are made or dropped. */
  readonly api: boolean;
  readonly name?: string;
  readonly repo?: RepositoryPlace["kind"];
  readonly channel?: ChannelKind;
}

/** Everything for the agents of one bot of this machine. */
export async function openAgents(options: {
  readonly loaded: LoadedDeclaration;
  readonly paths: StatePaths;
  readonly bot: string;
  readonly about: About;
  readonly progress: (text: string) => void;
  readonly askPassphrase: () => Promise<string>;
}): Promise<AgentHost & AsyncDisposable> {
  const { loaded, paths, bot, about } = options;
  const agents = new BotAgents(loaded, bot);
  const system = process.getuid?.() === 0 && hasSystemDeployment(paths);
  const base = system ? join(paths.root, "system") : paths.root;
  const files = new AgentFiles(base, bot);
  const known = files.agents().map(({ name, repository }) => ({ name, kind: repository.kind }));
  const journal = about.name === undefined ? undefined : files.journal(about.name);
  const begun = journal?.verb === "new" ? journal.options : undefined;
  const repo = begun?.repo ?? about.repo;
  const channel = begun?.channel ?? about.channel;
  const mine =
    repo === undefined || about.name === undefined ? [] : [{ name: about.name, kind: repo }];
  const others = known.filter(({ name }) => about.name === undefined || name === about.name);
  const workers = await walledWorkers({
    loaded,
    paths,
    agents,
    files,
    home: join(base, "bots", bot),
    api: about.api && repo !== undefined ? agents.apiGrants(repo, channel) : {},
    git: agents.gitGrants([...others, ...mine]),
    askPassphrase: options.askPassphrase,
  });
  return {
    agents,
    files,
    workers,
    inside: system ? SERVICE_INSIDE.home : INSIDE.home,
    progress: options.progress,
    hasToolWalls: () => hasToolPolicies(paths, bot),
    hasContainers: () => !system && hasContainers(paths.root, bot),
    now: () => new Date(),
    async putLive(text, expect) {
      makeAgentsFolder(base, bot);
      if (files.readLive() === text) return;
      const log = await (system ? serviceLog(loaded, bot) : supervisedLog(paths, bot));
      const record = sinceNow(auditFile(system ? serviceRecordPaths(paths, bot) : paths));
      files.write("live/agents.json", text, 0o644);
      if (log !== undefined) await awaitTakenUp({ log, record }, bot, expect);
    },
    [Symbol.asyncDispose]: () => workers[Symbol.asyncDispose](),
  };
}

/** None where the gateway doesn't answer: it reads the change when it starts. */
async function supervisedLog(paths: StatePaths, bot: string): Promise<Since | undefined> {
  const log = sinceNow(join(paths.logs, `${bot}.log`));
  try {
    const reply = await askSupervisor(paths, { verb: "status" });
    const ready =
      reply.kind === "status" &&
      reply.status.bots.some(({ name, state }) => name === bot && state === "ready");
    return ready ? log : undefined;
  } catch {
    return undefined;
  }
}

async function serviceLog({ plan }: LoadedDeclaration, bot: string): Promise<Since | undefined> {
  const planned = plan.bots.find(({ name }) => name === bot);
  return planned === undefined ? undefined : await gatewayLog(bot, planned.ingress.port);
}
