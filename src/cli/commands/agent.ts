import { resolve } from "node:path";
import {
  AgentFiles,
  BotAgents,
  checkName,
  deleteAgent,
  listAgents,
  newAgent,
  openAgents,
  syncAgents,
  type Listed,
  type NewOptions,
  type SyncReport,
} from "../../agents/index.ts";
import { loadDeclaration, nixosDeclaration, type LoadedDeclaration } from "../../host/index.ts";
import { askHidden } from "../askHidden.ts";
import type { Call, Command, ExitStatus } from "../Command.ts";
import { confirm } from "../confirm.ts";
import { UsageError } from "../UsageError.ts";

export const agent: Command = {
  name: "agent",
  usage: "new NAME | delete NAME | list | sync [NAME]",
  summary: "make, delete, list and synchronize the agents of a bot",
  help: [
    "new NAME      makes a private repository, a workspace from the template, a first commit and a",
    "              channel, and tells the running gateway, which isn't restarted. What fails is undone;",
    "              a run that was ended is finished by running it again.",
    "delete NAME   pushes the last changes, archives repository and channel, removes the workspace.",
    "list          each agent's channel, last activity and last synchronization",
    "sync [NAME]   commits what changed, takes in what the repository has, and pushes. It is done every",
    "              15 minutes while bots run. Conflicts go to a branch; nothing is ever forced. Exit 1",
    "              when something needs a person.",
    "",
    'Where agents are made is said under the bot\'s "agents": docs/agents.md.',
  ].join("\n"),
  options: {
    bot: { type: "string", value: "BOT", help: "the bot; needed where several have agents" },
    file: { type: "string", value: "FILE", help: "the declaration" },
    repo: { type: "string", value: "KIND", help: "new: gitea, github or path" },
    channel: { type: "string", value: "KIND", help: "new: mattermost, telegram, discord or none" },
    chat: { type: "string", value: "ID", help: "new: a Telegram group that is there" },
    template: { type: "string", value: "FOLDER", help: "new: another template" },
    model: { type: "string", value: "MODEL", help: "new: another model than the bot's" },
    tools: {
      type: "string",
      value: "WHERE",
      help: "new: its tools run in the bot's wall, in one of their own, or in containers: bot, wall or podman; else as declared",
    },
    existing: { type: "boolean", help: "new: take up a repository that is there" },
    purge: { type: "boolean", help: "delete: the repository for good, and what was never pushed" },
    yes: { type: "boolean", help: "delete --purge: don't ask" },
  },
  words: { least: 1, most: 2 },
  run: async (call) => {
    const [verb = "", name] = call.words;
    const file = call.value("file") ?? nixosDeclaration(call.paths);
    const loaded = loadDeclaration(file, process.env);
    switch (verb) {
      case "new":
        return makeOne(call, loaded, needed(name));
      case "delete":
        return deleteOne(call, loaded, needed(name));
      case "list":
        return listAll(call, loaded);
      case "sync":
        return syncSome(call, loaded, name);
      default:
        throw new UsageError(`usage: seawall agent ${agent.usage}`, "type: seawall agent --help");
    }
  },
};

function needed(name: string | undefined): string {
  if (name !== undefined) return name;
  throw new UsageError(`usage: seawall agent ${agent.usage}`, "name the agent");
}

function withAgents({ declaration: { bots } }: LoadedDeclaration): string[] {
  return Object.keys(bots).filter((name) => bots[name]?.agents !== undefined);
}

function chosenBot(call: Call, loaded: LoadedDeclaration): string {
  const asked = call.value("bot");
  if (asked !== undefined) return asked;
  const [only, ...others] = withAgents(loaded);
  if (only !== undefined && others.length === 0) return only;
  throw new UsageError("which bot is meant?", "name it with --bot");
}

const askPassphrase = (): Promise<string> => askHidden("passphrase of the vault: ");

async function makeOne(call: Call, loaded: LoadedDeclaration, name: string): Promise<ExitStatus> {
  checkName(name);
  const bot = chosenBot(call, loaded);
  const agents = new BotAgents(loaded, bot);
  const repo = agents.repositoryKind(call.value("repo"));
  const channel = agents.channelKind(call.value("channel"));
  const chat = call.value("chat");
  const model = call.value("model");
  const template = call.value("template");
  if (model !== undefined && !/^[a-z0-9-]{1,40}\/[A-Za-z0-9._:/-]{1,120}$/.test(model))
    throw new UsageError("this can't be a model", 'name it as "provider/model"');
  const asked = call.value("tools");
  if (asked !== undefined && asked !== "bot" && asked !== "wall" && asked !== "podman")
    throw new UsageError("tools run in no such place", "say: --tools bot, wall or podman");
  const tools = agents.tools(asked);
  if (channel === "telegram" && !/^-\d{5,20}$/.test(chat ?? "")) {
    throw new UsageError(
      "bots can't make groups on Telegram",
      "make one, add the bot, and give the group's number: --chat -1001234567890",
    );
  }
  const options: NewOptions = {
    repo,
    existing: call.flag("existing"),
    ...(channel === undefined ? {} : { channel }),
    ...(chat === undefined ? {} : { chat }),
    ...(model === undefined ? {} : { model }),
    ...(tools === undefined ? {} : { tools }),
    ...(template === undefined ? {} : { template: resolve(template) }),
  };
  const about = { api: true, name, repo, ...(channel === undefined ? {} : { channel }) };
  await using host = await open(call, loaded, bot, about);
  const made = await newAgent(host, name, options);
  if (call.json) call.output.json({ ok: true, agent: made });
  else call.output.line(`agent ${name} is there: ${made.repository.url}${channelText(made)}`);
  return 0;
}

async function deleteOne(call: Call, loaded: LoadedDeclaration, name: string): Promise<ExitStatus> {
  checkName(name);
  const bot = chosenBot(call, loaded);
  const purge = call.flag("purge");
  if (purge && !(await confirm(call, `delete ${name} and its whole history for good?`))) return 1;
  const files = filesOf(call, bot);
  const journal = files.journal(name);
  const found =
    journal?.verb === "delete" ? journal.agent : files.agents().find((each) => each.name === name);
  const about = {
    api: true,
    name,
    ...(found === undefined ? {} : { repo: found.repository.kind }),
    ...(found?.channel === undefined ? {} : { channel: found.channel.kind }),
  };
  await using host = await open(call, loaded, bot, about);
  const deleted = await deleteAgent(host, name, purge);
  if (call.json) call.output.json({ ok: true, ...deleted });
  else {
    call.output.line(`agent ${name} is gone`);
    if (deleted.kept !== undefined)
      call.output.line(`what was never pushed is in the bot's home, in ${deleted.kept}`);
  }
  return 0;
}

async function listAll(call: Call, loaded: LoadedDeclaration): Promise<ExitStatus> {
  const asked = call.value("bot");
  const all: { bot: string; agents: readonly Listed[]; unfinished: readonly string[] }[] = [];
  for (const bot of asked === undefined ? withAgents(loaded) : [asked]) {
    await using host = await open(call, loaded, bot, { api: false });
    all.push({ bot, ...(await listAgents(host)) });
  }
  if (call.json) {
    call.output.json({ bots: all });
    return 0;
  }
  for (const { bot, agents, unfinished } of all) {
    call.output.line(`${bot}: ${agents.length} agents`);
    for (const each of agents) {
      const active = each.active === undefined ? "nothing done yet" : `active ${each.active}`;
      const sync = each.sync === undefined ? "never synchronized" : syncText(each.sync.report);
      const tools = each.tools === undefined ? "" : TOOLS_TEXT[each.tools];
      call.output.line(`  ${each.name}${channelText(each)}${tools}, ${active}; ${sync}`);
    }
    for (const name of unfinished)
      call.output.line(`  ${name} is unfinished: run its command again`);
  }
  return 0;
}

async function syncSome(
  call: Call,
  loaded: LoadedDeclaration,
  name: string | undefined,
): Promise<ExitStatus> {
  if (name !== undefined) checkName(name);
  const bots =
    name !== undefined || call.value("bot") !== undefined
      ? [chosenBot(call, loaded)]
      : withAgents(loaded);
  const all: object[] = [];
  let well = true;
  for (const bot of bots) {
    await using host = await open(call, loaded, bot, { api: false });
    for (const { name: each, report } of await syncAgents(host, name)) {
      all.push({ bot, name: each, ...report });
      well &&= report.conflict === undefined && report.failed === undefined;
      if (call.json) continue;
      call.output.line(`${each}: ${syncText(report)}`);
      for (const { path, why } of report.held) call.output.line(`  held back ${path}: ${why}`);
    }
  }
  if (call.json) call.output.json({ ok: well, agents: all });
  return well ? 0 : 1;
}

const TOOLS_TEXT = {
  wall: ", tools in a wall of their own",
  podman: ", tools in containers",
} as const;

function filesOf(call: Call, bot: string): AgentFiles {
  return AgentFiles.of(call.paths, bot);
}

function open(
  call: Call,
  loaded: LoadedDeclaration,
  bot: string,
  about: Parameters<typeof openAgents>[0]["about"],
): ReturnType<typeof openAgents> {
  const { paths, output } = call;
  return openAgents({ loaded, paths, bot, about, progress: output.progress, askPassphrase });
}

function channelText({ channel }: Pick<Listed, "channel">): string {
  return channel === undefined ? "" : `, ${channel.kind} ${channel.id}`;
}

function syncText(report: SyncReport): string {
  if (report.failed !== undefined) return `NOT SYNCHRONIZED: ${report.failed}`;
  if (report.conflict !== undefined)
    return `CONFLICT: its commits are in branch ${report.conflict}${report.rewritten === true ? ", as the repository was rewritten" : ""}`;
  const parts = [
    ...report.commits,
    ...(report.pulled > 0 ? [`${report.pulled} files from the repository`] : []),
    ...(report.restored === true ? ["its workspace was gone and is back"] : []),
    ...(report.held.length > 0 ? [`${report.held.length} files held back`] : []),
  ];
  return parts.length === 0 ? "nothing new" : parts.join("; ");
}
