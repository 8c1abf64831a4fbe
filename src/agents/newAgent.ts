import { randomBytes } from "node:crypto";
import { AgentError } from "./AgentError.ts";
import type { Agent, NewJournal, NewOptions } from "./AgentFiles.ts";
import { workspaceOf, type AgentHost } from "./AgentHost.ts";
import { checkName } from "./checkName.ts";
import { putSkills } from "./putSkills.ts";
import { renderLive } from "./renderLive.ts";
import { LARGEST_FILE } from "./syncAgents.ts";
import { perform } from "./Workers.ts";

/** One step: each can be done again after it was done, or half done, and undone likewise. */
interface Step {
  readonly name: string;
  readonly does: string;
  run(host: AgentHost, journal: NewJournal): Promise<NewJournal>;
  undo(host: AgentHost, journal: NewJournal): Promise<void>;
}

const STEPS: readonly Step[] = [
  {
    name: "repository",
    does: "making the repository",
    async run(host, journal) {
      const { name, mark, options } = journal;
      const place = host.agents.repositoryPlace(options.repo, host.workers.bare(name));
      const { existing } = options;
      const takes = { place, name, mark, existing };
      return {
        ...journal,
        repository: await perform(host.workers, name, "make-repository", takes),
      };
    },
    async undo(host, { name, mark, options, repository }) {
      const place = host.agents.repositoryPlace(options.repo, host.workers.bare(name));
      // What this run made goes; what it took out of the archive goes back there.
      if (repository?.restored === true)
        await perform(host.workers, name, "drop-repository", { place, name, how: "archive" });
      else
        await perform(host.workers, name, "drop-repository", { place, name, mark, how: "delete" });
    },
  },
  {
    name: "workspace",
    does: "filling the workspace and pushing the first commit",
    async run(host, journal) {
      const { name, options } = journal;
      const report = await perform(host.workers, name, "begin-workspace", {
        workspace: workspaceOf(host, name, repositoryOf(host, journal)),
        template: host.agents.template(options.template),
        shared: host.agents.shared(),
        again: true,
        largest: LARGEST_FILE,
        title: "Begin the workspace",
      });
      for (const { path, why } of report.held) host.progress(`  held back ${path}: ${why}`);
      if (report.failed !== undefined)
        throw new AgentError("unreachable", `the first commit was not pushed: ${report.failed}`);
      host.files.setSyncState(name, { at: host.now().toISOString(), report });
      return journal;
    },
    async undo(host, { name }) {
      host.files.setSyncState(name, undefined);
      host.files.dropGit(name);
      const workspace = { home: host.workers.home, folder: `agents/${name}` };
      await perform(host.workers, name, "drop-workspace", { workspace });
    },
  },
  {
    name: "channel",
    does: "making the channel",
    async run(host, journal) {
      const { name, mark, options } = journal;
      if (options.channel === undefined) return journal;
      const place = host.agents.channelPlace(options.channel);
      if (place === undefined) {
        const members = host.agents.telegramMembers();
        const channel = { id: options.chat ?? "", created: false, restored: false, members };
        return { ...journal, channel };
      }
      return {
        ...journal,
        channel: await perform(host.workers, name, "make-channel", { place, name, mark }),
      };
    },
    async undo(host, { name, mark, options, channel }) {
      const place =
        options.channel === undefined ? undefined : host.agents.channelPlace(options.channel);
      if (place === undefined) return;
      const { workers } = host;
      if (channel?.restored === true && channel.id !== "")
        await perform(workers, name, "drop-channel", { place, name, id: channel.id });
      else await perform(workers, name, "drop-channel", { place, name, mark });
    },
  },
  {
    name: "gateway",
    does: "telling the gateway",
    async run(host, journal) {
      putSkills(host);
      const agent = agentOf(host, journal);
      const others = host.files.agents().filter(({ name }) => name !== agent.name);
      host.files.setAgents([...others, agent]);
      const expect =
        agent.channel === undefined
          ? { agent: agent.name }
          : { agent: agent.name, channel: agent.channel.kind };
      await host.putLive(renderLive(host.files.agents(), host.inside), expect);
      return journal;
    },
    async undo(host, { name }) {
      host.files.setAgents(host.files.agents().filter((agent) => agent.name !== name));
      await host.putLive(renderLive(host.files.agents(), host.inside), { agent: name });
    },
  },
];

function repositoryOf(
  { agents }: AgentHost,
  { name, options, repository }: NewJournal,
): Agent["repository"] {
  const { created = false, restored = false, url = "" } = repository ?? {};
  return {
    kind: options.repo,
    // Where the wall shows it is of no use to a person.
    url: options.repo === "path" ? agents.bareFolder(name) : url,
    ...(created || restored || !options.existing ? {} : { existing: true }),
  };
}

function agentOf(host: AgentHost, journal: NewJournal): Agent {
  const { name, mark, options, channel } = journal;
  const place =
    options.channel === undefined ? undefined : host.agents.channelPlace(options.channel);
  return {
    name,
    created: host.now().toISOString(),
    mark,
    repository: repositoryOf(host, journal),
    ...(channel === undefined || options.channel === undefined
      ? {}
      : {
          channel: {
            kind: options.channel,
            id: channel.id,
            members: channel.members,
            ...(place?.kind === "discord" ? { server: place.server } : {}),
          },
        }),
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.tools === undefined ? {} : { tools: options.tools }),
  };
}

/**
 * Makes an agent: repository, workspace, first commit, channel, and the gateway's knowledge of it. Done
 * whole or undone; what a run that was killed has left is finished by another one, or undone if it was
 * about to undo.
 *
 * @throws AgentError
 */
export async function newAgent(host: AgentHost, name: string, options: NewOptions): Promise<Agent> {
  checkName(name);
  using _lock = await host.files.lock();
  if (options.tools === "wall" && !host.hasToolWalls())
    throw new AgentError("no-tool-walls", "this bot's agents can't have a wall for their tools", {
      hint: "it takes Linux 6.12, and a bot that was started there by this version (docs/agents.md)",
    });
  if (options.tools === "podman" && !(host.hasToolWalls() && host.hasContainers()))
    throw new AgentError(
      "no-containers",
      "this bot's agents can't have containers for their tools",
      {
        hint: 'it takes an image, declared under the bot\'s "agents" as "podman", and a bot that "seawall up" has started with it (docs/agents.md)',
      },
    );
  const before = host.files.journal(name);
  if (before?.verb === "delete") {
    throw new AgentError("unfinished", `agent "${name}" is half deleted`, {
      hint: `finish that first: seawall agent delete ${name}`,
    });
  }
  if (before?.undoing === true) {
    host.progress(`undoing what an earlier run left of ${name}`);
    await undo(host, before);
  }
  let journal: NewJournal;
  if (before?.undoing !== true && before !== undefined) {
    host.progress(`going on with ${name}, which an earlier run began`);
    journal = before;
  } else {
    if (host.files.agents().some((agent) => agent.name === name))
      throw new AgentError("exists", `there is an agent "${name}" already`, {
        hint: "see: seawall agent list",
      });
    const mark = `${host.files.owner()}.${randomBytes(6).toString("hex")}`;
    journal = { verb: "new", name, mark, options, begun: [] };
  }
  try {
    for (const step of STEPS) {
      host.progress(step.does);
      // Before it begins: what it may have made is known then, whenever this ends.
      journal = { ...journal, begun: [...new Set([...journal.begun, step.name])] };
      host.files.setJournal(journal);
      journal = await step.run(host, journal);
      host.files.setJournal(journal);
    }
  } catch (error) {
    host.progress("undoing, since that failed");
    await undo(host, journal, error);
    throw error;
  }
  host.files.endJournal(name);
  const made = host.files.agents().find((agent) => agent.name === name);
  return made ?? agentOf(host, journal);
}

/** @throws AgentError `undo-failed`: what is left is known, and the next run goes on. */
async function undo(host: AgentHost, journal: NewJournal, because?: unknown): Promise<void> {
  const { name } = journal;
  try {
    // Without room on the disk it is as if this run had been killed, which the next one knows to mend.
    host.files.setJournal({ ...journal, undoing: true });
    for (const step of STEPS.toReversed()) {
      if (!journal.begun.includes(step.name)) continue;
      await step.undo(host, journal);
    }
    host.files.endJournal(name);
  } catch (cause) {
    const why = because instanceof Error ? `: it failed since ${because.message}` : "";
    const left = cause instanceof Error ? cause.message : "?";
    throw new AgentError(
      "undo-failed",
      `what was made for "${name}" could not all be undone${why}; now ${left}`,
      {
        hint: `run this again when that is mended: seawall agent new ${name}`,
        cause,
      },
    );
  }
}
