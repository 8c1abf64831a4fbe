import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BotPlan, Json, JsonObject } from "../plan/index.ts";
import { canonicalJson, isObject, mergeSettings, own } from "./mergeSettings.ts";
import { OpenClawError } from "./OpenClawError.ts";
import {
  AGENT,
  CHANNELS,
  commandNames,
  defaultSettings,
  hasToolWalls,
  joinedSettings,
  ownedSettings,
  SKILLS,
  type InsidePaths,
} from "./ownedSettings.ts";
import type { PinFile } from "./Pin.ts";
import { renderSkill } from "./renderSkill.ts";
import { toolsPlugin, toolsPluginSettings } from "./toolsPlugin.ts";

/** All that a bot's OpenClaw is started with. No secret, phantom or token stands in it. */
export interface RenderedOpenClaw {
  /** `openclaw.json`: strict JSON, sorted keys, final newline. */
  readonly config: string;
  /** What `openclaw approvals set` is to be given; absent when no command may be run. */
  readonly approvals?: string;
  /** Read-only regular files to put into the wall. */
  readonly files: readonly { readonly to: string; readonly text: string }[];
  /** What runs inside the wall: ends up as the gateway, in the same process. */
  readonly command: readonly [string, ...string[]];
  /** The environment but for `variables`. */
  readonly environment: Readonly<Record<string, string>>;
  /** Variables that the supervisor adds: phantoms by grant, and the gateway's token. Sorted. */
  readonly variables: readonly string[];
}

/** Runs inside the wall as it stands there, hence plain JavaScript. */
const START = new URL("./inside/start.mjs", import.meta.url);

/**
 * Renders what OpenClaw is told about a bot. The same plan, paths and pin give the same bytes.
 *
 * The bot's free-form settings lie under what Seawall decides, whatever they say; call
 * `checkSettings` first to refuse those that would have no effect.
 *
 * @throws OpenClawError `plugin` when a plugin or channel is not in the pin.
 */
export function renderConfig(bot: BotPlan, inside: InsidePaths, pin: PinFile): RenderedOpenClaw {
  const unknown = bot.openclaw.channels.find(({ channel }) => !CHANNELS.includes(channel));
  if (unknown !== undefined) {
    throw new OpenClawError("plugin", `channel "${unknown.channel}" can't be set up yet`, {
      hint: `channels are: ${CHANNELS.join(", ")}`,
    });
  }
  const walls = hasToolWalls(bot, inside);
  const pluginSettings = mergeSettings(plugins(bot, pin), walls ? toolsPluginSettings(inside) : {});
  const owned = mergeSettings(ownedSettings(bot, inside), pluginSettings);
  const free = mergeSettings(defaultSettings(bot), bot.openclaw.settings);
  const settings = mergeSettings(mergeSettings(free, owned), joinedSettings(bot));
  const config = canonicalJson(settings);
  const approvals = commandNames(bot).length > 0 ? renderApprovals(bot, inside) : undefined;
  const configFile = join(inside.config, "openclaw.json");
  const approvalsFile = join(inside.config, "approvals.json");
  const startFile = join(inside.config, "start.mjs");
  const skill = inside.clients ? renderSkill(bot) : undefined;
  const entry = join(inside.openclaw, pin.entry);
  return {
    config,
    ...(approvals === undefined ? {} : { approvals }),
    files: [
      { to: configFile, text: config },
      ...(approvals === undefined
        ? []
        : [
            { to: approvalsFile, text: approvals },
            { to: startFile, text: readFileSync(START, "utf8") },
          ]),
      ...(skill === undefined
        ? []
        : [{ to: join(inside.config, SKILLS, "seawall-commands", "SKILL.md"), text: skill }]),
      ...(walls ? toolsPlugin(inside, entry) : []),
    ],
    command:
      approvals === undefined
        ? [inside.node, entry, "gateway", "run"]
        : [inside.node, startFile, entry, approvalsFile],
    environment: environment(inside, configFile),
    variables: [
      ...bot.environment.map(({ variable }) => variable),
      "OPENCLAW_GATEWAY_TOKEN",
    ].toSorted(),
  };
}

/** Declared plugins on; those that OpenClaw would fetch by itself for one of the variables denied. */
function plugins(bot: BotPlan, pin: PinFile): JsonObject {
  const ids = bot.openclaw.plugins.map((name) => {
    const plugin = Object.hasOwn(pin.plugins, name) ? pin.plugins[name] : undefined;
    if (plugin !== undefined) return plugin.id;
    throw new OpenClawError(
      "plugin",
      `plugin "${name}" is not in the pin of OpenClaw ${pin.version}`,
      {
        hint: `pinned are: ${Object.keys(pin.plugins).join(", ")}`,
      },
    );
  });
  const variables = new Set(bot.environment.map(({ variable }) => variable));
  const denied = pin.autoInstalls
    .filter(
      (plugin) => !ids.includes(plugin.id) && plugin.variables.some((name) => variables.has(name)),
    )
    .map(({ id }) => id);
  const out: Record<string, Json> = {};
  if (denied.length > 0) out["deny"] = denied.toSorted();
  if (ids.length > 0) out["entries"] = Object.fromEntries(ids.map((id) => [id, { enabled: true }]));
  return Object.keys(out).length > 0 ? { plugins: out } : {};
}

/**
 * The exec approvals document: exactly the granted commands, by the path they have inside the wall,
 * for each agent. The settings' `tools.exec.mode` and this document both have to agree.
 */
function renderApprovals(bot: BotPlan, { commands, commandFiles }: InsidePaths): string {
  const agents = own(bot.openclaw.settings, "agents");
  const entries = isObject(agents) ? own(agents, "entries") : undefined;
  const names = new Set([
    AGENT,
    ...(isObject(entries) ? Object.keys(entries) : []),
    // Those that come later: OpenClaw reads this document at its start only.
    ...(bot.openclaw.agents === true ? ["*"] : []),
  ]);
  const policy: JsonObject = {
    security: "allowlist",
    ask: "off",
    askFallback: "deny",
    autoAllowSkills: false,
    allowlist: commandNames(bot).map((command) => ({
      pattern: commandFiles?.[command] ?? join(commands, command),
    })),
  };
  return canonicalJson({
    version: 1,
    defaults: { security: "deny", ask: "off", askFallback: "deny", autoAllowSkills: false },
    agents: Object.fromEntries([...names].map((name) => [name, policy])),
  });
}

function environment(inside: InsidePaths, configFile: string): Record<string, string> {
  const ca = inside.caBundle;
  return {
    CURL_CA_BUNDLE: ca,
    DO_NOT_TRACK: "1",
    GIT_SSL_CAINFO: ca,
    HOME: inside.home,
    LANG: "C.UTF-8",
    // OpenClaw's launcher would fill /tmp with 39 MB of compiled code at each start, and find it empty at the next.
    NODE_DISABLE_COMPILE_CACHE: "1",
    NODE_EXTRA_CA_CERTS: ca,
    OPENCLAW_CONFIG_PATH: configFile,
    OPENCLAW_CONFIG_READONLY: "1",
    OPENCLAW_DISABLE_BONJOUR: "1",
    OPENCLAW_EXEC_SHELL_SNAPSHOT: "0",
    OPENCLAW_NO_AUTO_UPDATE: "1",
    OPENCLAW_NO_RESPAWN: "1",
    OPENCLAW_STATE_DIR: inside.state,
    // Without it a failed start is followed by an automatic repair that may start an agent.
    OPENCLAW_SUPERVISOR_MODE: "external",
    PATH: inside.commands,
    REQUESTS_CA_BUNDLE: ca,
    // The exec tool's shell; unset, OpenClaw looks for one in PATH.
    SHELL: "/bin/sh",
    SSL_CERT_FILE: ca,
    TMPDIR: "/tmp",
    TZ: "UTC",
  };
}
