import { AgentError } from "./AgentError.ts";
import { workspaceOf, type AgentHost } from "./AgentHost.ts";
import type { SyncReport } from "./inside/Job.ts";
import { putSkills } from "./putSkills.ts";
import { perform } from "./Workers.ts";

/** Bytes; larger files are for another place than a history that is never shortened. */
export const LARGEST_FILE = 10 * 1024 * 1024;

/** How it went with one agent. */
export interface Synced {
  readonly name: string;
  readonly report: SyncReport;
}

/**
 * Synchronizes one agent's workspace with its repository, or all. One that fails keeps none of the others
 * from it: what went wrong is in its report.
 *
 * @throws AgentError `no-such-agent`, `busy`; `disk` when not even that can be written.
 */
export async function syncAgents(
  host: AgentHost,
  name: string | undefined,
  waitMs?: number,
): Promise<readonly Synced[]> {
  using _lock = await host.files.lock(waitMs);
  const agents = host.files.agents().filter((agent) => name === undefined || agent.name === name);
  if (agents.length === 0 && name !== undefined) throw noSuchAgent(host);
  putSkills(host);
  const shared = host.agents.shared();
  const all: Synced[] = [];
  for (const agent of agents) {
    host.progress(`synchronizing ${agent.name}`);
    let report: SyncReport;
    try {
      report = await perform(host.workers, agent.name, "sync", {
        workspace: workspaceOf(host, agent.name, agent.repository),
        shared,
        largest: LARGEST_FILE,
      });
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      report = { commits: [], pulled: 0, pushed: false, held: [], failed: error.message };
    }
    host.files.setSyncState(agent.name, { at: host.now().toISOString(), report });
    all.push({ name: agent.name, report });
  }
  return all;
}

export function noSuchAgent(host: Pick<AgentHost, "files">): AgentError {
  const names = host.files.agents().map(({ name }) => name);
  return new AgentError("no-such-agent", "this bot has no agent of this name", {
    hint:
      names.length === 0 ? "it has none: seawall agent new NAME" : `it has: ${names.join(", ")}`,
  });
}
