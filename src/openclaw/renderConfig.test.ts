import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import {
  array,
  assert,
  boolean,
  constant,
  constantFrom,
  dictionary,
  letrec,
  oneof,
  property,
  string,
} from "fast-check";
import type { BotPlan, Json, JsonObject } from "../plan/index.ts";
import { isObject, mergeSettings, own } from "./mergeSettings.ts";
import { ownedSettings } from "./ownedSettings.ts";
import { latestPin, readPin } from "./Pin.ts";
import { renderConfig } from "./renderConfig.ts";
import { leaveNoTraces } from "./testing/leaveNoTraces.ts";
import { botPlan, TEST_INSIDE } from "./testing/testBot.ts";
import { testOpenClaw } from "./testing/testOpenClaw.ts";
import { validateConfig } from "./testing/validateConfig.ts";

const PIN = readPin(latestPin());
const NODE = { entry: process.execPath };

function withOpenClaw(over: Partial<BotPlan["openclaw"]>, bot: Partial<BotPlan> = {}): BotPlan {
  const plan = botPlan(bot);
  return { ...plan, openclaw: { ...plan.openclaw, ...over } };
}

/** What the catalogue makes of grants for Discord and Mattermost. */
const OTHER_CHANNELS: Partial<BotPlan["openclaw"]> = {
  channels: [
    { channel: "discord", variable: "DISCORD_BOT_TOKEN", allowFrom: [] },
    {
      channel: "mattermost",
      variable: "MATTERMOST_BOT_TOKEN",
      allowFrom: ["abcdefghijklmnopqrstuvwxyz"],
      url: "https://chat.example.com",
    },
  ],
  plugins: ["@openclaw/discord", "@openclaw/mattermost"],
};
const OTHER_VARIABLES: Partial<BotPlan> = {
  environment: [
    { variable: "ANTHROPIC_API_KEY", grant: "anthropic" },
    { variable: "DISCORD_BOT_TOKEN", grant: "discord" },
    { variable: "MATTERMOST_BOT_TOKEN", grant: "mattermost" },
  ],
};

function render(bot: BotPlan): JsonObject {
  return JSON.parse(renderConfig(bot, TEST_INSIDE, PIN).config) as JsonObject;
}

function at(value: Json | undefined, path: string): Json | undefined {
  return path
    .split(".")
    .reduce(
      (inner: Json | undefined, key) => (isObject(inner) ? own(inner, key) : undefined),
      value,
    );
}

test("renderConfig() sets what the wall depends on, with keys as references only", () => {
  const config = render(botPlan({}));
  equal(at(config, "gateway.bind"), "loopback");
  equal(at(config, "gateway.auth.mode"), "token");
  equal(at(config, "gateway.auth.token.id"), "OPENCLAW_GATEWAY_TOKEN");
  equal(at(config, "gateway.controlUi.enabled"), false);
  equal(at(config, "gateway.terminal.enabled"), false);
  equal(at(config, "tools.exec.mode"), "deny");
  equal(at(config, "tools.profile"), "minimal");
  deepEqual(at(config, "tools.deny"), ["edit", "exec", "process", "read", "write"]);
  equal(at(config, "tools.fs.workspaceOnly"), true);
  equal(at(config, "telemetry.enabled"), false);
  equal(at(config, "update.checkOnStart"), false);
  deepEqual(at(config, "channels.telegram.botToken"), {
    source: "env",
    provider: "default",
    id: "TELEGRAM_BOT_TOKEN",
  });
  equal(at(config, "channels.telegram.dmPolicy"), "allowlist");
  deepEqual(at(config, "agents.entries"), { main: { workspace: "/workspace" } });
});

test("renderConfig() sets up each channel by the names it has for things", () => {
  const bot = withOpenClaw(OTHER_CHANNELS, OTHER_VARIABLES);
  const config = render(bot);
  deepEqual(at(config, "channels.discord"), {
    enabled: true,
    configWrites: false,
    token: { source: "env", provider: "default", id: "DISCORD_BOT_TOKEN" },
    dmPolicy: "pairing",
    groupPolicy: "allowlist",
    commands: { native: false },
  });
  deepEqual(at(config, "channels.mattermost"), {
    enabled: true,
    configWrites: false,
    botToken: { source: "env", provider: "default", id: "MATTERMOST_BOT_TOKEN" },
    baseUrl: "https://chat.example.com",
    dmPolicy: "allowlist",
    allowFrom: ["abcdefghijklmnopqrstuvwxyz"],
    groupPolicy: "allowlist",
  });
  equal(at(config, "plugins.deny"), undefined);
});

test("renderConfig() gives Slack its two tokens in socket mode, and Matrix its senders where it looks", () => {
  const ref = (id: string) => ({ source: "env", provider: "default", id });
  const channels: BotPlan["openclaw"]["channels"] = [
    {
      channel: "matrix",
      variable: "MATRIX_ACCESS_TOKEN",
      allowFrom: ["@owner:example.com"],
      url: "https://matrix.example.com",
    },
    {
      channel: "slack",
      variable: "SLACK_BOT_TOKEN",
      secondVariable: "SLACK_APP_TOKEN",
      allowFrom: [],
    },
  ];
  const config = render(withOpenClaw({ channels }));
  deepEqual(at(config, "channels.matrix"), {
    enabled: true,
    configWrites: false,
    accessToken: ref("MATRIX_ACCESS_TOKEN"),
    homeserver: "https://matrix.example.com",
    encryption: false,
    dm: { policy: "allowlist", allowFrom: ["@owner:example.com"] },
    groupPolicy: "allowlist",
  });
  deepEqual(at(config, "channels.slack"), {
    enabled: true,
    configWrites: false,
    mode: "socket",
    botToken: ref("SLACK_BOT_TOKEN"),
    appToken: ref("SLACK_APP_TOKEN"),
    dmPolicy: "pairing",
    groupPolicy: "allowlist",
    streaming: { nativeTransport: false },
  });
});

test("renderConfig() lets a channel reach a private address only if the grant names one", () => {
  for (const [url, expected] of [
    ["https://chat.example.com", undefined],
    ["http://10.0.0.5:8065", true],
    ["http://[fd00::5]:8065", true],
  ] as const) {
    const channel = { channel: "mattermost", variable: "MATTERMOST_BOT_TOKEN", allowFrom: [], url };
    const config = render(withOpenClaw({ channels: [channel] }));
    equal(at(config, "channels.mattermost.network.dangerouslyAllowPrivateNetwork"), expected);
    equal(at(config, "channels.mattermost.baseUrl"), url);
  }
});

test("renderConfig() turns the control page on only where the ingress asks for it", () => {
  const bot = botPlan({ ingress: { port: 1, controlPage: true } });
  equal(at(render(bot), "gateway.controlUi.enabled"), true);
});

test("renderConfig() runs the gateway directly when there are no commands to approve", () => {
  const rendered = renderConfig(botPlan({}), TEST_INSIDE, PIN);
  equal(rendered.approvals, undefined);
  deepEqual(rendered.command.slice(1), [`/opt/openclaw/${PIN.entry}`, "gateway", "run"]);
  deepEqual(
    rendered.files.map(({ to }) => to),
    ["/etc/openclaw/openclaw.json"],
  );
});

test("renderConfig() says whose each channel is where agents may come, behind what the settings say", () => {
  const bot = botPlan({});
  const bound = [
    { agentId: "ops", match: { channel: "telegram", peer: { kind: "group", id: "-1" } } },
  ];
  const settings = { bindings: bound };
  const main = { agentId: "main", match: { channel: "telegram", accountId: "*" } };
  const channels = withOpenClaw({ agents: true, settings }, bot);
  deepEqual(at(render(channels), "bindings"), [...bound, main]);
  deepEqual(at(render(withOpenClaw({ settings }, bot)), "bindings"), bound);
});

test("renderConfig() approves exactly the granted commands, for every agent", () => {
  const bot = withOpenClaw(
    { settings: { agents: { entries: { ops: {} } } } },
    { commands: ["cat", "ls"] },
  );
  const { approvals = "", command, files } = renderConfig(bot, TEST_INSIDE, PIN);
  const document = JSON.parse(approvals) as JsonObject;
  const allowlist = [{ pattern: "/usr/bin/cat" }, { pattern: "/usr/bin/ls" }];
  for (const agent of ["main", "ops"]) {
    deepEqual(at(document, `agents.${agent}.allowlist`), allowlist);
    equal(at(document, `agents.${agent}.security`), "allowlist");
  }
  equal(at(document, "defaults.security"), "deny");
  ok(files.some(({ to, text }) => to === command.at(-1) && text === approvals));
  equal(at(render(bot), "tools.exec.mode"), "allowlist");
  deepEqual(at(render(bot), "tools.alsoAllow"), ["exec", "process"]);
  deepEqual(at(render(bot), "tools.deny"), ["edit", "read", "write"]);
  const more = withOpenClaw(
    { settings: { tools: { deny: ["exec", "tts"] } } },
    { commands: ["ls"] },
  );
  deepEqual(at(render(more), "tools.deny"), ["edit", "exec", "read", "tts", "write"]);
});

test("renderConfig() denies plugins that OpenClaw would fetch for a variable, unless declared", () => {
  const openrouter = {
    environment: [
      { variable: "DISCORD_BOT_TOKEN", grant: "discord" },
      { variable: "OPENROUTER_API_KEY", grant: "openrouter" },
    ],
  };
  const bot = withOpenClaw({ plugins: ["@openclaw/discord"] }, openrouter);
  deepEqual(at(render(bot), "plugins.deny"), ["perplexity"]);
  deepEqual(at(render(bot), "plugins.entries"), { discord: { enabled: true } });
  deepEqual(at(render(botPlan(openrouter)), "plugins.deny"), ["discord", "perplexity"]);
  throws(() => render(withOpenClaw({ plugins: ["left-pad"] })), { code: "plugin" });
});

test("renderConfig() keeps OpenAI's models on OpenClaw's own runtime", () => {
  const config = render(withOpenClaw({ model: "openai/gpt-5.5" }));
  deepEqual(at(config, "agents.defaults.models"), {
    "openai/*": { agentRuntime: { id: "openclaw" } },
  });
});

test("renderConfig() names the variables to fill in and holds no value for them", () => {
  const rendered = renderConfig(botPlan({}), TEST_INSIDE, PIN);
  deepEqual(rendered.variables, [
    "ANTHROPIC_API_KEY",
    "OPENCLAW_GATEWAY_TOKEN",
    "TELEGRAM_BOT_TOKEN",
  ]);
  for (const variable of rendered.variables) equal(rendered.environment[variable], undefined);
});

test("renderConfig() gives the same bytes whatever the order of the settings' keys", () => {
  const one = withOpenClaw({
    settings: { messages: { ackReaction: "x", queue: 1 }, session: { a: 1, b: { c: 2, d: 3 } } },
  });
  const other = withOpenClaw({
    settings: { session: { b: { d: 3, c: 2 }, a: 1 }, messages: { queue: 1, ackReaction: "x" } },
  });
  deepEqual(renderConfig(one, TEST_INSIDE, PIN), renderConfig(other, TEST_INSIDE, PIN));
  ok(renderConfig(one, TEST_INSIDE, PIN).config.endsWith("}\n"));
});

test("renderConfig() lets no settings at all change what Seawall decides", () => {
  const bot = botPlan({});
  const owned = ownedSettings(bot, TEST_INSIDE);
  const anything = letrec<{ value: Json; object: JsonObject }>((tie) => ({
    value: oneof(
      { maxDepth: 4 },
      constant(null),
      boolean(),
      string(),
      array(tie("value"), { maxLength: 2 }),
      tie("object"),
    ),
    object: dictionary(
      constantFrom(
        "gateway",
        "auth",
        "bind",
        "tools",
        "exec",
        "mode",
        "channels",
        "telegram",
        "update",
        "__proto__",
      ),
      tie("value"),
      { maxKeys: 6 },
    ),
  })).object;
  assert(
    property(anything, (settings) => {
      const config = render(withOpenClaw({ settings }));
      // Laying our own settings over the result once more must change nothing.
      deepEqual(mergeSettings(config, owned), config);
    }),
  );
});

test("the pinned OpenClaw takes the rendered configuration of each kind of bot", async (t) => {
  leaveNoTraces(t);
  const { pin, installed } = await testOpenClaw();
  const bots: BotPlan[] = [
    botPlan({}),
    withOpenClaw(
      {
        model: "openai/gpt-5.5",
        channels: [{ channel: "telegram", variable: "TELEGRAM_BOT_TOKEN", allowFrom: [] }],
        tools: ["message", "read", "web_search", "write"],
        settings: {
          agents: {
            defaults: { thinkingDefault: "low" },
            entries: { ops: { workspace: "/workspace/ops" } },
          },
          gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } },
        },
      },
      {
        commands: ["cat", "ls"],
        environment: [{ variable: "OPENAI_API_KEY", grant: "openai" }],
        ingress: { port: 1, controlPage: true },
      },
    ),
    withOpenClaw(OTHER_CHANNELS, OTHER_VARIABLES),
    withOpenClaw(
      { model: "openrouter/auto", channels: [] },
      { environment: [{ variable: "OPENROUTER_API_KEY", grant: "openrouter" }] },
    ),
  ];
  for (const bot of bots) {
    const rendered = renderConfig(bot, TEST_INSIDE, pin);
    deepEqual(await validateConfig(installed, NODE, rendered), [], bot.openclaw.model);
  }
});

test("validateConfig() says what the pinned OpenClaw refuses, and where", async (t) => {
  leaveNoTraces(t);
  const { pin, installed } = await testOpenClaw();
  const bot = withOpenClaw({
    settings: { messages: { nonsense: true }, session: { dmScope: "galaxy" } },
  });
  const issues = await validateConfig(installed, NODE, renderConfig(bot, TEST_INSIDE, pin));
  const paths = issues.map(({ path }) => path);
  ok(
    paths.some((path) => path.startsWith("messages")),
    JSON.stringify(issues),
  );
  ok(
    paths.some((path) => path.startsWith("session.dmScope")),
    JSON.stringify(issues),
  );
  ok(issues.every(({ message }) => message.length > 0));
});

test("validateConfig() tells a program that fails from a configuration that is refused", async (t) => {
  leaveNoTraces(t);
  const rendered = renderConfig(botPlan({}), TEST_INSIDE, PIN);
  const missing = { entry: "/nowhere/openclaw.mjs" };
  await validateConfig(missing, NODE, rendered).then(
    () => ok(false, "it must throw"),
    (error: unknown) => equal((error as { code: string }).code, "openclaw-failed"),
  );
});
