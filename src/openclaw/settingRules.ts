/** One line of the policy on free-form settings. */
export interface SettingRule {
  /** Keys joined by dots; `*` is any one key or index, a final `**` everything from there on. */
  readonly path: string;
  readonly allow: boolean;
  /** What to do instead. */
  readonly hint?: string;
}

const EXEC = 'name the commands under the bot\'s "exec"';
const TOOLS = 'name the tools under the bot\'s "tools"';
const START = "a bot starts no programs but the granted commands";
const BROKER = "every connection of a bot goes through the broker";
const SERVICE = "grant the bot a service";

/**
 * Which of OpenClaw's settings a declaration may set freely. The first line that matches decides,
 * and what no line names is refused: a setting that a later OpenClaw brings is closed until
 * somebody has looked at it. Keys are those of `openclaw config schema` of 2026.9.6.
 */
export const SETTING_RULES: readonly SettingRule[] = [
  ...allow("gateway.http.endpoints.chatCompletions.**", "gateway.http.endpoints.responses.**"),
  ...allow("gateway.reload.**", "gateway.controlUi.environment.**"),
  refuse("gateway.controlUi.**", 'only "ingress.controlPage" of the bot turns the control page on'),
  refuse("gateway.**", "Seawall decides how the gateway is reached"),

  ...["profile", "allow", "alsoAllow", "byProvider", "toolsBySender", "subagents", "sandbox"].map(
    (key) => refuse(`tools.${key}.**`, TOOLS),
  ),
  ...allow("tools.exec.timeoutSeconds", "tools.exec.backgroundMs", "tools.exec.cleanupMs"),
  ...allow("tools.exec.notifyOnExit", "tools.exec.notifyOnExitEmptySuccess"),
  ...allow("tools.exec.approvalRunningNoticeMs", "tools.exec.commandHighlighting"),
  refuse("tools.exec.**", EXEC),
  refuse("tools.fs.**", "an agent's file tools stay in its workspace"),
  refuse("tools.elevated.**", "nothing runs outside of the wall"),
  refuse("tools.github.**", SERVICE),
  refuse("tools.media.models.**", START),
  refuse("tools.links.models.**", START),
  refuse("tools.web.fetch.useTrustedEnvProxy", BROKER),
  ...allow("tools.**"),

  ...allow("agents.entries.*.tools.deny.**"),
  refuse("agents.entries.*.tools.exec.**", EXEC),
  refuse("agents.entries.*.tools.**", TOOLS),
  refuse("agents.entries.*.runtime.**", START),
  refuse("agents.entries.*.agentDir", "the bot's state folder is Seawall's"),
  refuse("agents.entries.*.sandbox.**", "the wall takes the place of OpenClaw's sandbox"),
  refuse("agents.defaults.sandbox.**", "the wall takes the place of OpenClaw's sandbox"),
  refuse("agents.list.**", 'use "agents.entries"'),
  ...allow("agents.**"),

  refuse("models.providers.*.localService.**", START),
  refuse("models.providers.*.request.proxy.**", BROKER),
  refuse("models.providers.*.request.tls.**", BROKER),
  ...allow("models.providers.**", "models.mode"),

  ...["command", "args", "env", "cwd"].map((key) => refuse(`mcp.servers.*.${key}.**`, START)),
  ...["clientCert", "clientKey", "sslVerify"].map((key) =>
    refuse(`mcp.servers.*.${key}.**`, BROKER),
  ),
  ...allow("mcp.servers.**", "mcp.sessionIdleTtlMs"),

  ...allow("plugins.entries.*.enabled", "plugins.entries.*.config.**"),
  refuse("plugins.**", 'name plugins under the bot\'s "plugins"'),
  ...allow("skills.allowBundled.**", "skills.limits.**", "skills.workshop.**"),
  ...allow("skills.entries.*.enabled", "skills.entries.*.config.**"),
  refuse("skills.**", "skills come from the workspace, and bring neither programs nor keys"),

  ...["accounts", "apiRoot", "configWrites", "network", "proxy", "tokenFile", "relay"].map((key) =>
    refuse(`channels.*.${key}.**`, "grant the bot the channel; the broker does the rest"),
  ),
  ...["userToken", "signingSecret", "password"].map((key) =>
    refuse(`channels.*.${key}.**`, "a channel logs in by the tokens of its grants alone"),
  ),
  refuse("channels.*.encryption", "what is encrypted can't be looked at on its way"),
  ...["webhookUrl", "webhookHost", "webhookPort", "webhookPath", "webhookCertPath"].map((key) =>
    refuse(`channels.*.${key}`, "a bot can't be called from outside; the channel is polled"),
  ),
  refuse("channels.*.trustedLocalFileRoots.**", "an agent's files stay in its workspace"),
  ...allow("channels.**"),

  ...allow("commands.native", "commands.nativeSkills", "commands.text"),
  ...allow("commands.ownerAllowFrom.**", "commands.allowFrom.**"),
  ...allow(
    "logging.level",
    "logging.consoleLevel",
    "logging.consoleStyle",
    "logging.redactPatterns.**",
  ),
  refuse("logging.**", "see the bot's output with: seawall logs"),
  refuse("session.store", "the bot's state folder is Seawall's"),
  refuse("memory.search.local.**", START),
  refuse("tts.providers.tts-local-cli.**", START),
  ...allow("session.**", "memory.**", "tts.**", "talk.**", "messages.**", "cron.**", "bindings.**"),
  ...allow(
    "broadcast.**",
    "attachments.**",
    "transcripts.**",
    "accessGroups.**",
    "ui.**",
    "surfaces.**",
  ),
  ...allow("browser.enabled"),

  refuse("env.**", "a bot's environment is Seawall's; grant it a service"),
  refuse("secrets.**", 'secrets stand in the declaration\'s own "secrets"'),
  refuse("auth.**", SERVICE),
  refuse("proxy.**", BROKER),
  refuse("telemetry.**", "telemetry is off"),
  refuse("update.**", "OpenClaw's version is the bot's \"openclaw\""),
  refuse("models.catalogRefresh.**", "OpenClaw calls no one but granted services"),
  refuse("discovery.**", "a bot does not announce itself"),
  refuse("hooks.**", "a bot can't be called from outside"),
  refuse("acp.**", START),
  refuse("approvals.**", EXEC),
];

function allow(...paths: string[]): SettingRule[] {
  return paths.map((path) => ({ path, allow: true }));
}

function refuse(path: string, hint: string): SettingRule {
  return { path, allow: false, hint };
}
