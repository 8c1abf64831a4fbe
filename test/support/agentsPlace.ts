import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureAuthority, issueLeaf } from "../../src/authority/index.ts";
import { AgentFiles } from "../../src/agents/AgentFiles.ts";
import type { AgentHost } from "../../src/agents/AgentHost.ts";
import { BotAgents } from "../../src/agents/BotAgents.ts";
import type { ChannelPlace, Job, RepositoryPlace } from "../../src/agents/inside/Job.ts";
import { runJob } from "../../src/agents/inside/runJob.ts";
import { startGiteaStandIn, type GiteaStandIn } from "./GiteaStandIn.ts";
import { startMattermostStandIn, type MattermostStandIn } from "./MattermostStandIn.ts";

const TOKEN = "agents-token";
const ENV = { GITEA_TOKEN: TOKEN, MATTERMOST_BOT_TOKEN: TOKEN };

/** The verbs without walls and broker: jobs are done here, against stand-ins and the real git. */
export interface AgentsPlace extends AsyncDisposable {
  readonly host: AgentHost;
  readonly gitea: GiteaStandIn;
  readonly mattermost: MattermostStandIn;
  readonly said: string[];
  readonly jobs: string[];
  workspace(name: string): string;
  /** Called before each job; what it throws is as if this process had been killed there. */
  beforeJob: (job: Job) => void;
}

export async function agentsPlace(folder: string): Promise<AgentsPlace> {
  const authority = join(folder, "authority");
  mkdirSync(authority);
  const leaf = await issueLeaf(await ensureAuthority(authority), ["localhost"]);
  const gitea = await startGiteaStandIn(TOKEN);
  const mattermost = await startMattermostStandIn(leaf, TOKEN);
  for (const name of ["template", "shared", "home"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "template", "AGENTS.md"), "# The agent\n");
  writeFileSync(join(folder, "shared", "USER.md"), "The owner\n");
  const declaration = {
    bots: {
      a: {
        grants: { gitea: { url: gitea.origin }, mattermost: { url: "https://chat.invalid" } },
        agents: {
          repositories: { gitea: { owner: "nixclaw" } },
          channels: { mattermost: { team: "team", members: ["owner"], private: false } },
          template: "./template",
          shared: "./shared",
        },
      },
    },
  };
  const loaded = {
    declaration,
    file: join(folder, "seawall.json5"),
  } as unknown as ConstructorParameters<typeof BotAgents>[0];
  const files = new AgentFiles(folder, "a");
  const place: Pick<AgentsPlace, "beforeJob"> = { beforeJob: () => undefined };
  const said: string[] = [];
  const jobs: string[] = [];
  const home = join(folder, "home");
  const host: AgentHost = {
    agents: new BotAgents(loaded, "a"),
    files,
    inside: "/home/bot",
    progress: (text) => void said.push(text),
    putLive: (text) => {
      files.write("live/agents.json", text, 0o644);
      return Promise.resolve();
    },
    hasToolWalls: () => true,
    hasContainers: () => true,
    now: () => new Date(),
    workers: {
      home,
      git: (agent) => files.git(agent),
      bare: (name) => join(folder, "bare", `${name}.git`),
      run(job, agent) {
        jobs.push(job.do);
        place.beforeJob(job);
        mkdirSync(files.git(agent), { recursive: true });
        return runJob(reached(job, mattermost.port), ENV);
      },
    },
  };
  return {
    host,
    gitea,
    mattermost,
    said,
    jobs,
    workspace: (name) => join(home, "agents", name),
    get beforeJob() {
      return place.beforeJob;
    },
    set beforeJob(hook) {
      place.beforeJob = hook;
    },
    [Symbol.asyncDispose]: async () => {
      await gitea[Symbol.asyncDispose]();
      await mattermost.close();
    },
  };
}

/** The broker would lead the name there. */
function reached(job: Job, port: number): Job {
  if (!("place" in job) || job.place.kind !== "mattermost") return job;
  const place: ChannelPlace | RepositoryPlace = {
    ...job.place,
    api: `https://localhost:${port}/api/v4`,
  };
  return { ...job, place } as Job;
}
