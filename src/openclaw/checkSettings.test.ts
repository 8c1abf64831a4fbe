import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { BotPlan, JsonObject } from "../plan/index.ts";
import { checkSettings } from "./checkSettings.ts";
import { botPlan } from "./testing/testBot.ts";

function faults(settings: JsonObject, bot: Partial<BotPlan> = {}): string[] {
  const plan = botPlan(bot);
  return checkSettings({ ...plan, openclaw: { ...plan.openclaw, settings } }).map(
    ({ code, path }) => `${code} ${path.join(".")}`,
  );
}

test("checkSettings() accepts settings that leave the wall as it is", () => {
  deepEqual(
    faults({
      agents: {
        defaults: {
          thinkingDefault: "low",
          heartbeat: { every: "2h" },
          compaction: { mode: "safeguard" },
        },
        entries: { main: { name: "Basecamp" }, ops: { workspace: "/workspace/ops" } },
      },
      channels: { telegram: { historyLimit: 20, groupPolicy: "disabled" } },
      gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } },
      messages: { ackReaction: "👀" },
      models: { providers: { anthropic: { apiKey: "${ANTHROPIC_API_KEY}" } } },
      session: { dmScope: "per-peer" },
      tools: { deny: ["browser"], web: { search: { maxResults: 3 } } },
    }),
    [],
  );
});

test("checkSettings() accepts what equals Seawall's own settings", () => {
  deepEqual(
    faults({
      gateway: { bind: "loopback", port: 18789, terminal: { enabled: false } },
      telemetry: { enabled: false },
      tools: { fs: { workspaceOnly: true }, exec: { mode: "deny" } },
      update: { checkOnStart: false },
    }),
    [],
  );
});

const LOOSENING: Record<string, JsonObject> = {
  "owned gateway.bind": { gateway: { bind: "lan" } },
  "owned gateway.port": { gateway: { port: 80 } },
  "owned gateway.auth": { gateway: { auth: "none" } },
  "owned gateway.auth.mode": { gateway: { auth: { mode: "none" } } },
  "owned gateway.controlUi.enabled": { gateway: { controlUi: { enabled: true } } },
  "owned gateway.terminal.enabled": { gateway: { terminal: { enabled: true } } },
  "owned gateway.tailscale.mode": { gateway: { tailscale: { mode: "funnel" } } },
  "owned telemetry.enabled": { telemetry: { enabled: true } },
  "owned update.auto": { update: { auto: true } },
  "owned tools.exec.mode": { tools: { exec: { mode: "full" } } },
  "owned tools.exec.host": { tools: { exec: { host: "node" } } },
  "owned tools.fs.workspaceOnly": { tools: { fs: { workspaceOnly: false } } },
  "owned tools.elevated.enabled": { tools: { elevated: { enabled: true } } },
  "owned commands.bash": { commands: { bash: true } },
  "owned discovery.mdns.mode": { discovery: { mdns: { mode: "full" } } },
  "owned agents.ownership": { agents: { ownership: "implicit" } },
  "owned agents.defaults": { agents: { defaults: null } },
  "owned channels.telegram.allowFrom": { channels: { telegram: { allowFrom: ["*"] } } },
  "owned channels.telegram.dmPolicy": { channels: { telegram: { dmPolicy: "open" } } },
  "not-free gateway": { gateway: { remote: { url: "wss://evil.example" } } },
  "not-free gateway.controlUi": { gateway: { controlUi: { dangerouslyDisableDeviceAuth: true } } },
  "not-free tools.exec": { tools: { exec: { security: "full" } } },
  "not-free tools.alsoAllow": { tools: { alsoAllow: ["exec"] } },
  "not-free tools.byProvider": { tools: { byProvider: { openai: { allow: ["*"] } } } },
  "not-free tools.media.models": { tools: { media: { models: [{ type: "cli", command: "sh" }] } } },
  "not-free agents.entries.ops.tools.exec": {
    agents: { entries: { ops: { tools: { exec: { mode: "full" } } } } },
  },
  "not-free agents.entries.main.tools": {
    agents: { entries: { main: { tools: { alsoAllow: ["x"] } } } },
  },
  "not-free agents.defaults.sandbox": {
    agents: { defaults: { sandbox: { docker: { network: "host" } } } },
  },
  "not-free agents.entries.x.runtime": { agents: { entries: { x: { runtime: { type: "acp" } } } } },
  "not-free channels.telegram.apiRoot": {
    channels: { telegram: { apiRoot: "https://evil.example" } },
  },
  "not-free channels.telegram.accounts": {
    channels: { telegram: { accounts: { b: { enabled: true } } } },
  },
  "not-free env": { env: { vars: { NODE_OPTIONS: "--require=/workspace/x.js" } } },
  "not-free secrets": { secrets: { providers: { x: { source: "exec", command: "sh" } } } },
  "not-free mcp.servers.x.command": { mcp: { servers: { x: { command: "sh" } } } },
  "not-free mcp.servers.x.args": {
    mcp: { servers: { x: { url: "https://mcp.example", args: ["-c"] } } },
  },
  "not-free mcp.servers.x.sslVerify": { mcp: { servers: { x: { sslVerify: false } } } },
  "not-free plugins": { plugins: { load: { paths: ["/workspace/p"] } } },
  "not-free skills": { skills: { load: { extraDirs: ["/"] } } },
  "not-free proxy": { proxy: { enabled: true, proxyUrl: "http://evil.example" } },
  "not-free hooks": { hooks: { enabled: true } },
  "not-free models.providers.x.localService": {
    models: { providers: { x: { localService: { command: "sh" } } } },
  },
  "not-free brandNewSection": { brandNewSection: { harmless: true } },
  "not-free emptySection": { emptySection: {} },
  "no-grant channels.discord": { channels: { discord: { enabled: true } } },
  "secret channels.telegram.botToken": { channels: { telegram: { botToken: "hunter2" } } },
  "secret models.providers.x.apiKey": { models: { providers: { x: { apiKey: "hunter2" } } } },
  "secret models.providers.x.headers.Authorization": {
    models: { providers: { x: { headers: { Authorization: "Bearer x" } } } },
  },
  "secret messages.responsePrefix": {
    messages: { responsePrefix: "sk-ant-api03-aaaaaaaaaaaaaaaaaaaaaaaa" },
  },
  "secret cron.webhookToken": { cron: { webhookToken: "hunter2" } },
  "indirect agents.$include": { agents: { $include: "./agents.json5" } },
  "indirect session.__proto__": { session: JSON.parse('{"__proto__": {"x": 1}}') as JsonObject },
  "indirect models.providers.x.apiKey.source": {
    models: { providers: { x: { apiKey: { source: "exec", provider: "default", id: "x" } } } },
  },
  "indirect agents.defaults.models.x.agentRuntime": {
    agents: { defaults: { models: { x: { agentRuntime: { id: "claude-cli" } } } } },
  },
};

for (const [expected, settings] of Object.entries(LOOSENING)) {
  test(`checkSettings() refuses: ${expected}`, () => {
    deepEqual(faults(settings), [expected]);
  });
}

test("checkSettings() lets a bot with commands neither widen nor drop its exec mode", () => {
  const bot = { commands: ["ls"] };
  deepEqual(faults({ tools: { exec: { mode: "allowlist" } } }, bot), []);
  deepEqual(faults({ tools: { exec: { mode: "auto" } } }, bot), ["owned tools.exec.mode"]);
});

test("checkSettings() reports every fault at once, sorted, each with something to do", () => {
  const plan = botPlan({});
  const settings = {
    update: { checkOnStart: true },
    env: { a: "b", c: "d" },
    gateway: { bind: "lan" },
  };
  const all = checkSettings({ ...plan, openclaw: { ...plan.openclaw, settings } });
  deepEqual(
    all.map(({ path }) => path.join(".")),
    ["env", "gateway.bind", "update.checkOnStart"],
  );
  ok(all.every(({ hint }) => hint !== undefined && hint !== ""));
});

test("checkSettings() never repeats a value", () => {
  const plan = botPlan({});
  const marker = "canary-7f3a9c";
  for (const settings of [
    { channels: { telegram: { botToken: marker } } },
    { gateway: { bind: marker, remote: { token: marker } } },
    { env: { vars: { A: marker } } },
    { models: { providers: { x: { headers: { cookie: marker } } } } },
  ]) {
    const found = checkSettings({ ...plan, openclaw: { ...plan.openclaw, settings } });
    ok(found.length > 0);
    equal(JSON.stringify(found).includes(marker), false);
  }
});
