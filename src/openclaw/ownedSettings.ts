import { isIP } from "node:net";
import { join } from "node:path";
import {
  clientCommands,
  type BotPlan,
  type ChannelPlan,
  type Json,
  type JsonObject,
} from "../plan/index.ts";
import { isObject, own } from "./mergeSettings.ts";

/** Where things lie inside the wall. Every path is absolute. */
export interface InsidePaths {
  /** The Node program. */
  readonly node: string;
  /** `InstalledOpenClaw.root`. */
  readonly openclaw: string;
  /** Writable, kept across restarts. */
  readonly state: string;
  /** Writable, kept: the agent's own files. */
  readonly workspace: string;
  /** Writable, need not be kept. */
  readonly home: string;
  /** A folder for the files that `RenderedOpenClaw.files` names. */
  readonly config: string;
  /** The folder of the granted commands. */
  readonly commands: string;
  /** Where a command is a link in that folder: the file it leads to, which is what OpenClaw compares. */
  readonly commandFiles?: Readonly<Record<string, string>>;
  /** Whether the client commands of granted services are there, too. */
  readonly clients: boolean;
  /** Hosts are reached by the proxy of the environment only, and no name can be looked up. */
  readonly proxied?: true;
  /** Agents' tools can have a wall within the bot's. */
  readonly toolWalls?: true;
  /** PEM bundle with the public CAs and the deployment's own. */
  readonly caBundle: string;
}

/** How a channel's settings are called. */
interface ChannelFields {
  /** Holds the reference to the credential. */
  readonly credential: string;
  /** Holds that to the second one, where there are two. */
  readonly second?: string;
  /** Whose messages it takes stands in an object of its own. */
  readonly sendersIn?: string;
  /** What nothing else goes with. */
  readonly always?: JsonObject;
  /** Holds the origin of the service, where everybody has their own. */
  readonly origin?: string;
  /** What a bot's own settings may change. */
  readonly defaults?: JsonObject;
}

/** The channels Seawall can set up. */
const CHANNEL_FIELDS: Readonly<Record<string, ChannelFields>> = {
  // Slash commands are answered through webhooks, which the catalogue's rules leave out: whoever
  // may call any webhook may take anything anywhere. The same commands work as text.
  discord: { credential: "token", defaults: { commands: { native: false } } },
  // What is encrypted can't be looked at on its way; files in encrypted rooms also take a native library, which the
  // plugin fetches from GitHub when it needs it.
  matrix: {
    credential: "accessToken",
    origin: "homeserver",
    sendersIn: "dm",
    always: { encryption: false },
  },
  mattermost: { credential: "botToken", origin: "baseUrl" },
  // It could else be called from outside, which nobody can do, or by a relay of OpenClaw's. A text in pieces
  // can't be looked at.
  slack: {
    credential: "botToken",
    second: "appToken",
    always: { mode: "socket" },
    defaults: { streaming: { nativeTransport: false } },
  },
  telegram: { credential: "botToken" },
};

/** Channels that {@link ownedSettings} can render. */
export const CHANNELS: readonly string[] = Object.keys(CHANNEL_FIELDS);

/** Folder of generated skills, in that of the files. */
export const SKILLS = "skills";
/** Folder and file of the agents that come and go, in that of the files. */
export const AGENTS = "agents";
export const AGENTS_FILE = "agents.json";
/** Folder of the plugin that gives agents' tools a wall of their own, in that of the files. */
export const TOOLS = "tools";
/** What OpenClaw calls it: the plugin, and the sandbox backend that it registers. */
export const TOOLS_PLUGIN = "seawall-tools";
export const TOOLS_BACKEND = "seawall";
/** The other one, whose commands run in containers outside of the bot's wall. */
export const CONTAINERS_BACKEND = "seawall-podman";
/** Where its socket is, in walls of bots whose agents may have containers. */
export const CONTAINERS_SOCKET = "/run/containers";
/** Where the launcher that starts them is, in every wall of a bot with agents. */
export const TOOLS_LAUNCHER = "/opt/seawall/launch";
/** The agent every bot has. */
export const AGENT = "main";
/** The gateway's port inside the wall; nothing else may be bound there. */
export const GATEWAY_PORT = 18789;

/**
 * The settings that Seawall decides: what the wall, the ingress and the declaration depend on. A
 * bot's free-form settings may repeat them but not change them. Keys are OpenClaw 2026.9.6's.
 */
export function ownedSettings(
  bot: BotPlan,
  { workspace, config, proxied }: Pick<InsidePaths, "workspace" | "config" | "proxied">,
): JsonObject {
  const { openclaw } = bot;
  const settings: Record<string, Json> = {
    agents: {
      ownership: "explicit",
      defaults: {
        model: { primary: openclaw.model },
        workspace,
        // Unset, OpenClaw runs OpenAI's models with a plugin that it fetches from npm at start.
        ...(openclaw.model.startsWith("openai/")
          ? { models: { "openai/*": { agentRuntime: { id: "openclaw" } } } }
          : {}),
      },
      entries: { [AGENT]: { workspace } },
    },
    // Rewriting the configuration and running shell lines from a chat are OpenClaw's own features.
    commands: {
      bash: false,
      config: false,
      debug: false,
      mcp: false,
      plugins: false,
      restart: false,
    },
    discovery: { mdns: { mode: "off" } },
    gateway: {
      mode: "local",
      // Unset in what looks like a container it becomes 0.0.0.0.
      bind: "loopback",
      port: GATEWAY_PORT,
      auth: { mode: "token", token: envRef("OPENCLAW_GATEWAY_TOKEN") },
      controlUi: { enabled: bot.ingress.controlPage },
      tailscale: { mode: "off" },
      terminal: { enabled: false },
    },
    models: { catalogRefresh: { enabled: false } },
    telemetry: { enabled: false },
    tools: {
      ...tools(bot),
      // Else it looks names up itself before it asks the proxy.
      ...(proxied === true ? { web: { fetch: { useTrustedEnvProxy: true } } } : {}),
    },
    update: { auto: { enabled: false }, checkOnStart: false },
  };
  // What is said beside it wins over the file (measured), whatever the file says.
  if (openclaw.agents === true) settings["$include"] = `./${AGENTS}/${AGENTS_FILE}`;
  const skills = [
    ...(openclaw.agents === true ? [join(config, AGENTS, SKILLS)] : []),
    ...(clientCommands(bot).length > 0 ? [join(config, SKILLS)] : []),
  ];
  if (skills.length > 0) settings["skills"] = { load: { extraDirs: skills } };
  if (openclaw.channels.length > 0) {
    settings["channels"] = Object.fromEntries(
      openclaw.channels.map((channel) => [channel.channel, channelSettings(channel)]),
    );
  }
  return settings;
}

/**
 * What is joined to what a bot's free-form settings say at the same places, which may say more there.
 *
 * - As soon as there is a second agent, OpenClaw stops a channel of which it isn't said whose it is where no other
 *   binding is for a message (resolveAgentRoute() of 2026.9.6); those of agents that come later are joined to these.
 * - Tools that OpenClaw took for wanted once it was told how they are to behave. No profile allows them any more, but
 *   it says so some eight times a turn unless they are denied in so many words (detectImplicitProfileGrants()).
 */
export function joinedSettings(bot: BotPlan): JsonObject {
  const { agents, channels, settings, tools: listed } = bot.openclaw;
  const tools = own(settings, "tools");
  const exec = execTools(bot);
  const unused = SECTION_TOOLS.filter((name) => !exec.includes(name));
  const said = listOf(isObject(tools) ? own(tools, "deny") : undefined);
  const denied = [...said.filter((name) => typeof name === "string"), ...unused];
  const owner = channels.map(({ channel }) => ({
    agentId: AGENT,
    match: { channel, accountId: "*" },
  }));
  return {
    ...(listed.length > 0 ? {} : { tools: { deny: [...new Set(denied)].toSorted() } }),
    ...(agents === true && owner.length > 0
      ? { bindings: [...listOf(own(settings, "bindings")), ...owner] }
      : {}),
  };
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** Whether there is what agents' tools get a wall of their own with. */
export function hasToolWalls(bot: BotPlan, { toolWalls }: Pick<InsidePaths, "toolWalls">): boolean {
  return bot.openclaw.agents === true && toolWalls === true;
}

/** Values that a bot's free-form settings may change. */
export function defaultSettings(bot: BotPlan): JsonObject {
  return {
    browser: { enabled: false },
    ...(bot.openclaw.channels.length > 0
      ? {
          channels: Object.fromEntries(
            bot.openclaw.channels.map(({ channel }) => [
              channel,
              { groupPolicy: "allowlist", ...CHANNEL_FIELDS[channel]?.defaults },
            ]),
          ),
        }
      : {}),
  };
}

/** Every command that exists inside a bot's wall, sorted: those of the host, and those of its services. */
export function commandNames(bot: BotPlan): readonly string[] {
  const clients = clientCommands(bot).map(({ command }) => command.name);
  return [...new Set([...bot.commands, ...clients])].toSorted();
}

const SECTION_TOOLS = ["edit", "exec", "process", "read", "write"];

/** What a bot's commands are called by. */
function execTools(bot: BotPlan): readonly string[] {
  return [
    ...(commandNames(bot).length > 0 ? ["exec", "process"] : []),
    // OpenClaw tells of skills only to an agent that has it (buildSkillsSection() of 2026.9.6). What can
    // be read is what the wall shows.
    ...(clientCommands(bot).length > 0 ? ["read"] : []),
  ];
}

function tools(bot: BotPlan): JsonObject {
  const { openclaw } = bot;
  const commands = commandNames(bot);
  const exec = execTools(bot);
  const names = [...new Set([...openclaw.tools, ...exec])].toSorted();
  return {
    ...(openclaw.tools.length > 0
      ? { allow: names }
      : {
          profile: "minimal",
          ...(exec.length > 0 ? { alsoAllow: exec } : {}),
        }),
    elevated: { enabled: false },
    exec: {
      host: "gateway",
      mode: commands.length > 0 ? "allowlist" : "deny",
      applyPatch: { workspaceOnly: true },
    },
    fs: { workspaceOnly: true },
  };
}

function channelSettings(plan: ChannelPlan): JsonObject {
  const { channel, variable, secondVariable, allowFrom, url } = plan;
  const fields = CHANNEL_FIELDS[channel];
  // Nobody listed: each sender must be let in by the owner, through OpenClaw's pairing.
  const policy = allowFrom.length > 0 ? "allowlist" : "pairing";
  const listed = allowFrom.length > 0 ? { allowFrom } : {};
  return {
    enabled: true,
    configWrites: false,
    ...fields?.always,
    ...(fields === undefined ? {} : { [fields.credential]: envRef(variable) }),
    ...(fields?.second === undefined || secondVariable === undefined
      ? {}
      : { [fields.second]: envRef(secondVariable) }),
    ...(url === undefined ? {} : originSettings(fields?.origin, url)),
    ...(fields?.sendersIn === undefined
      ? { dmPolicy: policy, ...listed }
      : { [fields.sendersIn]: { policy, ...listed } }),
  };
}

/**
 * OpenClaw refuses private addresses of its own accord. A name resolves to one of the broker's, but an
 * address that the grant itself names has to be let through; what it leads to is the broker's business.
 */
function originSettings(field: string | undefined, url: string): JsonObject {
  if (field === undefined) return {};
  const isAddress = isIP(new URL(url).hostname.replace(/^\[|\]$/g, "")) !== 0;
  return {
    [field]: url,
    ...(isAddress ? { network: { dangerouslyAllowPrivateNetwork: true } } : {}),
  };
}

function envRef(variable: string): JsonObject {
  return { source: "env", provider: "default", id: variable };
}
