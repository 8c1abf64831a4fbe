import type { Agent, SyncState } from "./AgentFiles.ts";
import type { AgentHost } from "./AgentHost.ts";
import { perform } from "./Workers.ts";

export interface Listed extends Agent {
  /** ISO 8601; absent for one that has done nothing yet. */
  readonly active?: string;
  readonly sync?: SyncState;
}

/** Every agent of a bot, with what it last did and how its last synchronization went; and what is unfinished. */
export async function listAgents(
  host: Pick<AgentHost, "files" | "workers">,
): Promise<{ readonly agents: readonly Listed[]; readonly unfinished: readonly string[] }> {
  const all = host.files.agents();
  const states = host.files.syncStates();
  const [first] = all;
  const takes = {
    home: host.workers.home,
    agents: all.map(({ name }) => ({ name, folder: `agents/${name}` })),
  };
  const { active } =
    first === undefined ? { active: {} } : await perform(host.workers, first.name, "look", takes);
  const agents = all.map((agent): Listed => {
    // A clock that was ahead when it wrote is known to have been no later than now.
    const wrote = (active as Record<string, number>)[agent.name];
    const at = wrote === undefined ? undefined : Math.min(wrote, Date.now());
    const sync = states[agent.name];
    return {
      ...agent,
      ...(at === undefined ? {} : { active: new Date(at).toISOString() }),
      ...(sync === undefined ? {} : { sync }),
    };
  });
  return { agents, unfinished: host.files.journals() };
}
