import assert from "node:assert/strict";
import { test } from "node:test";
import { checkShape } from "../declaration/index.ts";
import { latestPin, readPin } from "../openclaw/index.ts";
import { CHANNELS } from "../openclaw/ownedSettings.ts";
import { derivePhantom, makePlan, type BotPlan } from "../plan/index.ts";
import { catalogue } from "./index.ts";

const KEY = Buffer.alloc(32, 7);

function planOf(grants: object): { bot: BotPlan | undefined; faults: string[] } {
  const { declaration, faults: shape } = checkShape({
    seawall: 1,
    secrets: { s: { vault: "s" } },
    bots: {
      a: {
        openclaw: "2026.9.6",
        model: "anthropic/claude-sonnet-4-6",
        grants: { anthropic: { secret: "s" }, ...grants },
      },
    },
  });
  assert.deepEqual(shape, []);
  assert.ok(declaration);
  const { plan, faults } = makePlan(declaration, { catalogue, versions: ["2026.9.6"] });
  return {
    bot: plan?.bots[0],
    faults: faults.map(({ code, path }) => `${code} ${path.join(".")}`),
  };
}

test("every channel of the catalogue can be set up, and its plugin is in the pin", () => {
  const { plugins } = readPin(latestPin());
  const channels = [...catalogue.values()].filter(({ channel }) => channel !== undefined);
  assert.deepEqual(
    channels.map(({ channel = "" }) => channel).toSorted(),
    [...CHANNELS].toSorted(),
  );
  for (const { channel, plugin } of channels) {
    if (plugin !== undefined) assert.equal(plugins[plugin]?.id, channel);
  }
});

test("a grant of a channel brings its plugin, once", () => {
  const { bot } = planOf({ discord: { secret: "s" }, telegram: { secret: "s" } });
  assert.deepEqual(bot?.openclaw.plugins, ["@openclaw/discord"]);
  const again = planOf({ discord: { secret: "s" } });
  assert.deepEqual(again.bot?.openclaw.plugins, ["@openclaw/discord"]);
});

test("Slack is a channel with both its tokens, a service of calls with the bot's alone, and no less", () => {
  const slack = { secret: "s", allowFrom: ["U0123456789"] };
  const both = planOf({ slack, "slack-app": { secret: "s" } }).bot;
  assert.deepEqual(both?.openclaw.plugins, ["@openclaw/slack"]);
  assert.deepEqual(both.openclaw.channels, [
    {
      channel: "slack",
      variable: "SLACK_BOT_TOKEN",
      secondVariable: "SLACK_APP_TOKEN",
      allowFrom: ["U0123456789"],
    },
  ]);
  const calls = planOf({ slack: { secret: "s" } }).bot;
  assert.deepEqual([calls?.openclaw.channels, calls?.openclaw.plugins], [[], []]);
  assert.ok(calls?.grants.some(({ name }) => name === "slack"));
  assert.deepEqual(planOf({ slack }).faults, ["no-effect bots.a.grants.slack.allowFrom"]);
  assert.deepEqual(planOf({ "slack-app": { secret: "s" } }).faults, [
    "missing bots.a.grants.slack-app",
  ]);
});

test("a phantom of Slack's app token holds no app's id that OpenClaw's plugin could read", () => {
  const { bot } = planOf({ slack: { secret: "s" }, "slack-app": { secret: "s" } });
  const grant = bot?.grants.find(({ name }) => name === "slack-app");
  assert.ok(grant?.kind === "inject");
  // parseApiAppIdFromAppToken() of @openclaw/slack 2026.9.6, which drops the events of any other app.
  const appId = /^xapp-\d-([a-z0-9]+)-/i;
  const phantom = derivePhantom(grant.phantom, KEY, { bot: "a", grant: "slack-app" });
  assert.doesNotMatch(phantom, appId);
  assert.match(phantom, /^xapp-1-/);
  // The control: a real one has it.
  assert.match(`xapp-1-A0123456789-1234567890123-${"0".repeat(64)}`, appId);
});

test("a phantom for Discord names no application, so that clients ask for the real one", () => {
  for (const name of ["a", "b", "c", "d"]) {
    const { bot } = planOf({ discord: { secret: "s" } });
    const grant = bot?.grants.find((each) => each.name === "discord");
    assert.ok(grant?.kind === "inject");
    const phantom = derivePhantom(grant.phantom, KEY, { bot: name, grant: "discord" });
    // What clients do: discord.js, serenity, OpenClaw's plugin.
    const [first = ""] = phantom.split(".");
    assert.doesNotMatch(Buffer.from(first, "base64").toString(), /^\d+$/);
    // The control: a real one's first part is the id.
    const real = Buffer.from("1180000000000000777").toString("base64url");
    assert.match(Buffer.from(real, "base64").toString(), /^\d+$/);
  }
});

test("Mattermost is where its grant says, for the broker and for OpenClaw", () => {
  const { bot } = planOf({ mattermost: { secret: "s", url: "https://Chat.Example.com:8443" } });
  const grant = bot?.grants.find(({ name }) => name === "mattermost");
  assert.deepEqual(
    grant?.hosts.map(({ name, port, scheme }) => [name, port, scheme]),
    [["chat.example.com", 8443, "https"]],
  );
  assert.ok(bot);
  assert.equal(bot.openclaw.channels[0]?.url, "https://chat.example.com:8443");
  assert.ok(bot.ports.includes(8443));
});

test("url is needed where everybody has a host of their own, and a fault elsewhere", () => {
  assert.deepEqual(planOf({ mattermost: { secret: "s" } }).faults, [
    "missing bots.a.grants.mattermost",
  ]);
  const url = "https://chat.example.com";
  assert.deepEqual(planOf({ discord: { secret: "s", url } }).faults, [
    "invalid bots.a.grants.discord.url",
  ]);
  assert.deepEqual(planOf({ "x.example.com": { tunnel: 443, url } }).faults, [
    "invalid bots.a.grants.x.example.com.url",
  ]);
  assert.deepEqual(planOf({ mattermost: { secret: "s", url: "http://chat.example.com" } }).faults, [
    "invalid bots.a.grants.mattermost.url",
  ]);
});
