import { dropChannel, makeChannel } from "./channels.ts";
import type { Answer, Job } from "./Job.ts";
import { asJobError } from "./JobError.ts";
import { dropRepository, makeRepository } from "./repositories.ts";
import { syncWorkspace } from "./sync.ts";
import { dropWorkspace, fillWorkspace, look } from "./workspace.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Does one job. Never throws: what went wrong is an answer. */
export async function runJob(job: Job, env: Environment): Promise<Answer> {
  try {
    return { ok: true, result: await perform(job, env) };
  } catch (error) {
    const { code, message } = asJobError(error);
    return { ok: false, code, message };
  }
}

async function perform(job: Job, env: Environment): Promise<unknown> {
  switch (job.do) {
    case "make-repository":
      return makeRepository(job, env);
    case "drop-repository":
      return dropRepository(job, env);
    case "make-channel":
      return makeChannel(job, env);
    case "drop-channel":
      return dropChannel(job, env);
    case "begin-workspace":
      await fillWorkspace(job, env);
      return syncWorkspace(job, env);
    case "drop-workspace":
      return dropWorkspace(job);
    case "sync":
      return syncWorkspace(job, env);
    case "look":
      return look(job);
    default:
      return job satisfies never;
  }
}
