import { AgentError } from "./AgentError.ts";
import type { DeleteJournal } from "./AgentFiles.ts";
import { workspaceOf, type AgentHost } from "./AgentHost.ts";
import { checkName } from "./checkName.ts";
import { renderLive } from "./renderLive.ts";
import { LARGEST_FILE, noSuchAgent } from "./syncAgents.ts";
import { perform } from "./Workers.ts";

export interface Deleted {
  readonly name: string;
  /** Where its files that were never pushed are now, in the bot's home. */
  readonly kept?: string;
}

/**
 * The mirror of `newAgent`: a last synchronization, then the gateway forgets the agent, the channel and the
 * repository are archived and the workspace goes. With `purge` the repository and whatever was never pushed
 * are deleted. Run again it goes on where it was.
 *
 * @throws AgentError `not-synced` when something would be lost; nothing was deleted then.
 */
export async function deleteAgent(host: AgentHost, name: string, purge: boolean): Promise<Deleted> {
  checkName(name);
  using _lock = await host.files.lock();
  const before = host.files.journal(name);
  if (before?.verb === "new") {
    throw new AgentError("unfinished", `agent "${name}" is half made`, {
      hint: `finish or undo that first: seawall agent new ${name}`,
    });
  }
  const agent = before?.agent ?? host.files.agents().find((each) => each.name === name);
  if (agent === undefined) throw noSuchAgent(host);
  const { workers, files, agents } = host;
  const wholly = purge || before?.purge === true;
  const state =
    wholly || before !== undefined ? files.syncStates()[name]?.report : await lastSync(host, name);
  const journal: DeleteJournal = { verb: "delete", name, purge: wholly, agent };
  files.setJournal(journal);
  host.progress("telling the gateway");
  files.setAgents(files.agents().filter((each) => each.name !== name));
  await host.putLive(renderLive(files.agents(), host.inside), { agent: name });
  if (agent.channel !== undefined) {
    const place = agents.channelPlace(agent.channel.kind);
    if (place?.kind === "mattermost") {
      host.progress("archiving the channel");
      await perform(workers, name, "drop-channel", { place, name, id: agent.channel.id });
    }
  }
  if (agent.repository.existing !== true) {
    host.progress(wholly ? "deleting the repository" : "archiving the repository");
    const place = agents.repositoryPlace(agent.repository.kind, workers.bare(name));
    const how = wholly ? ("delete" as const) : ("archive" as const);
    await perform(workers, name, "drop-repository", { place, name, how });
  }
  const held = (state?.held.length ?? 0) > 0;
  const kept = `agents/.kept/${name}-${host.now().toISOString().replace(/[:.]/g, "-")}`;
  host.progress(held && !wholly ? "putting the workspace aside" : "removing the workspace");
  const workspace = { home: workers.home, folder: `agents/${name}` };
  const keepAs = held && !wholly ? { keepAs: kept } : {};
  await perform(workers, name, "drop-workspace", { workspace, ...keepAs });
  files.setSyncState(name, undefined);
  files.dropGit(name);
  files.endJournal(name);
  return { name, ...(held && !wholly ? { kept } : {}) };
}

/** Everything that may be pushed has to be, before anything goes. */
async function lastSync(host: AgentHost, name: string) {
  const agent = host.files.agents().find((each) => each.name === name);
  if (agent === undefined) throw noSuchAgent(host);
  host.progress("synchronizing a last time");
  const report = await perform(host.workers, name, "sync", {
    workspace: workspaceOf(host, name, agent.repository),
    shared: [],
    largest: LARGEST_FILE,
  });
  host.files.setSyncState(name, { at: host.now().toISOString(), report });
  if (report.failed === undefined) return report;
  throw new AgentError(
    "not-synced",
    `the last changes of "${name}" can't be pushed: ${report.failed}`,
    {
      hint: "mend that and run this again; with --purge they are deleted as well",
    },
  );
}
