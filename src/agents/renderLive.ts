import { CONTAINERS_BACKEND, TOOLS_BACKEND } from "../host/index.ts";
import type { Agent } from "./AgentFiles.ts";

/**
 * OpenClaw's sandbox, for every session, by the backend that Seawall's plugin is; nothing of it is ever kept or
 * tidied up. With `host` an agent can't ask for its command to run elsewhere, and without a sandbox it fails
 * (resolveExecTarget() of 2026.9.6).
 */
function sandboxed(backend: string): object {
  return {
    sandbox: {
      mode: "all",
      backend,
      scope: "agent",
      workspaceAccess: "rw",
      prune: { idleHours: 0, maxAgeDays: 0 },
    },
    tools: { exec: { host: "sandbox" }, elevated: { enabled: false } },
  };
}

const BACKENDS = { wall: TOOLS_BACKEND, podman: CONTAINERS_BACKEND } as const;

/**
 * What a running OpenClaw reads of a bot's agents: one file, so that agents, bindings and groups change
 * in one edit. A binding alone doesn't reach a running Mattermost account; a change of its groups makes it
 * connect anew, in the same process (measured with 2026.9.6). Sorted, so that equal agents give equal bytes.
 *
 * @param home the bot's, as it sees it.
 */
export function renderLive(agents: readonly Agent[], home: string): string {
  if (agents.length === 0) return "{}\n";
  const entries = agents.map(({ name, model, tools }) => [
    name,
    {
      name,
      workspace: `${home}/agents/${name}`,
      ...(model === undefined ? {} : { model: { primary: model } }),
      ...(tools === undefined ? {} : sandboxed(BACKENDS[tools])),
    },
  ]);
  const bindings = agents.flatMap(({ name, channel }) =>
    channel === undefined
      ? []
      : [
          {
            agentId: name,
            match: {
              channel: channel.kind,
              accountId: "default",
              peer: { kind: channel.kind === "telegram" ? "group" : "channel", id: channel.id },
            },
          },
        ],
  );
  const channels = channelsOf(agents);
  const live = {
    agents: { entries: Object.fromEntries(entries) },
    ...(bindings.length === 0 ? {} : { bindings, channels }),
  };
  return `${JSON.stringify(live, null, 2)}\n`;
}

function channelsOf(agents: readonly Agent[]): object {
  const of = (kind: string) =>
    agents.flatMap(({ channel }) => (channel?.kind === kind ? [channel] : []));
  const members = (kind: string): string[] =>
    [...new Set(of(kind).flatMap((channel) => channel.members))].toSorted();
  const groups = (kind: string): object =>
    Object.fromEntries(of(kind).map(({ id }) => [id, { requireMention: false }]));
  const channels: Record<string, object> = {};
  if (of("mattermost").length > 0)
    channels["mattermost"] = {
      chatmode: "onmessage",
      groupAllowFrom: members("mattermost"),
      groups: groups("mattermost"),
    };
  if (of("telegram").length > 0)
    channels["telegram"] = { groupAllowFrom: members("telegram"), groups: groups("telegram") };
  if (of("discord").length > 0) {
    const servers = [...new Set(of("discord").flatMap(({ server }) => server ?? []))].toSorted();
    channels["discord"] = {
      guilds: Object.fromEntries(
        servers.map((server) => {
          const here = of("discord").filter((channel) => channel.server === server);
          return [
            server,
            {
              users: [...new Set(here.flatMap((channel) => channel.members))].toSorted(),
              channels: Object.fromEntries(
                here.map(({ id }) => [id, { enabled: true, requireMention: false }]),
              ),
            },
          ];
        }),
      ),
    };
  }
  return channels;
}
