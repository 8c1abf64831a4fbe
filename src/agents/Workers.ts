import { AgentError, type AgentErrorCode } from "./AgentError.ts";
import type { Answer, Job, JobFault, JobKind, Jobs } from "./inside/Job.ts";

/** Whoever does jobs: programs in walls, for a deployment. */
export interface Workers {
  /** The bot's home, a history and a bare repository of this host, as jobs see them. */
  readonly home: string;
  git(agent: string): string;
  bare(name: string): string;
  /** @param agent whose workspace or repository it is about. */
  run(job: Job, agent: string): Promise<Answer>;
}

const CODES: Readonly<Record<JobFault, AgentErrorCode>> = {
  unreachable: "unreachable",
  refused: "refused",
  exists: "exists",
  "not-there": "workspace",
  disk: "disk",
  workspace: "workspace",
  git: "workspace",
};

const HINTS: Partial<Record<JobFault, string>> = {
  unreachable: "run this again when it is there",
  refused: "look at what the account may do, and at the declaration's agents",
  exists: "choose another name, or take it up with --existing where it is a repository",
  disk: "make room and run this again",
};

/** Has a job done. @throws AgentError */
export async function perform<Kind extends JobKind>(
  workers: Workers,
  agent: string,
  kind: Kind,
  takes: Jobs[Kind]["takes"],
): Promise<Jobs[Kind]["gives"]> {
  const answer = await workers.run({ do: kind, ...takes } as unknown as Job, agent);
  if (answer.ok) return answer.result as Jobs[Kind]["gives"];
  const hint = HINTS[answer.code];
  throw new AgentError(CODES[answer.code], answer.message, hint === undefined ? {} : { hint });
}
