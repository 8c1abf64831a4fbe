import assert from "node:assert/strict";
import { test } from "node:test";
import { catalogue } from "../../catalogue/index.ts";
import { checkShape } from "../../declaration/index.ts";
import { makePlan, type ChatNotifyPlan, type InjectGrant } from "../../plan/index.ts";
import { modelGrant } from "../testing/grants.ts";
import { canary, TestBroker } from "../testing/TestBroker.ts";

/** What each service is to get, by its own documentation, when a call waits. */
const SERVICES: Readonly<
  Record<
    string,
    {
      readonly host: string;
      readonly path: (token: string) => string;
      readonly authorization?: (token: string) => string;
      readonly to: string;
      readonly body: (text: string) => object;
    }
  >
> = {
  telegram: {
    host: "api.telegram.org",
    path: (token) => `/bot${token}/sendMessage`,
    to: "-100123",
    body: (text) => ({
      chat_id: "-100123",
      text,
      link_preview_options: { is_disabled: true },
    }),
  },
  mattermost: {
    host: "chat.example.com",
    path: () => "/api/v4/posts",
    authorization: (token) => `Bearer ${token}`,
    to: "4xp9fdt77pncbef59f4k1qe83o",
    body: (message) => ({
      channel_id: "4xp9fdt77pncbef59f4k1qe83o",
      message,
      props: { unsafe_links: "true" },
    }),
  },
  discord: {
    host: "discord.com",
    path: () => "/api/v10/channels/1203044056677889900/messages",
    authorization: (token) => `Bot ${token}`,
    to: "1203044056677889900",
    body: (content) => ({ content, flags: 4, allowed_mentions: { parse: [] } }),
  },
  slack: {
    host: "slack.com",
    path: () => "/api/chat.postMessage",
    authorization: (token) => `Bearer ${token}`,
    to: "C0123456789",
    body: (text) => ({
      channel: "C0123456789",
      text,
      mrkdwn: false,
      parse: "none",
      link_names: false,
      unfurl_links: false,
      unfurl_media: false,
    }),
  },
};

function planOf(service: string, to: string | number) {
  const url = service === "mattermost" ? { url: "https://chat.example.com" } : {};
  const { declaration } = checkShape({
    seawall: 1,
    secrets: { anthropic: { vault: "anthropic" }, chat: { vault: "chat" } },
    bots: {
      teller: {
        openclaw: "2026.9.6",
        model: "anthropic/claude-sonnet-4-6",
        grants: { anthropic: { secret: "anthropic" }, [service]: { secret: "chat", ...url } },
      },
    },
    approvals: { notify: { chat: { bot: "teller", grant: service, to } } },
  });
  assert.ok(declaration);
  return makePlan(declaration, { catalogue, versions: ["2026.9.6"] });
}

test("every service of the catalogue that can tell the owner is tried here", () => {
  const able = [...catalogue.values()].filter(({ notify }) => notify !== undefined);
  assert.deepEqual(able.map(({ name }) => name).toSorted(), Object.keys(SERVICES).toSorted());
  for (const { name, notify } of able) {
    assert.deepEqual(planOf(name, notify?.to.example ?? "").faults, []);
  }
});

test("no service takes as a chat what could lead to another call", () => {
  for (const name of Object.keys(SERVICES)) {
    for (const to of [
      "",
      "..",
      "../../webhooks/1",
      "1/2",
      "1?x",
      "1#x",
      "%2e",
      "{text}",
      "{secret}",
      "1\n",
      "\n1",
      "@me",
      "a b",
      "1.5",
      "-",
    ]) {
      const { plan, faults } = to === "" ? { faults: [{ path: ["to"] }] } : planOf(name, to);
      assert.deepEqual(
        [plan, faults.map(({ path }) => path.at(-1))],
        [undefined, ["to"]],
        `${name} ${to}`,
      );
    }
  }
});

for (const [name, { host, path, authorization, to, body }] of Object.entries(SERVICES)) {
  test(`the owner is told in ${name}, by its own request and with the real token alone`, async (c) => {
    const { plan } = planOf(name, to);
    const way = plan?.approvals?.notify[0] as ChatNotifyPlan;
    const grants = plan?.bots[0]?.grants ?? [];
    const { dial: _dial, ...planned } = grants.find((each) => each.name === name) as InjectGrant;
    const t = await TestBroker.start();
    c.after(() => t.end());
    const token = canary("12345678:");
    t.secrets.set("chat", token);
    t.secrets.set("model", canary("real"));
    const got = Promise.withResolvers<readonly [string | undefined, unknown]>();
    const server = await t.upstream([host], (request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString()));
      request.on("end", () => {
        const right =
          request.method === "POST" &&
          request.url === path(token) &&
          request.headers.host === host &&
          request.headers.authorization === authorization?.(token) &&
          request.headers["content-type"] === "application/json; charset=utf-8";
        response.writeHead(right ? 200 : 401).end(`{"ok":${right}}`);
        got.resolve([
          right ? undefined : `${request.url} ${JSON.stringify(request.headers)}`,
          JSON.parse(text),
        ]);
      });
    });
    const model = await t.upstream(["api.model.test"], (_request, response) => response.end("{}"));
    const dial = (port: number) => ({ host: "127.0.0.1", port, ca: t.upstreamAuthority.ca });
    const asked = modelGrant(
      { port: t.port, address: t.nextAddress(), dial: dial(model.port) },
      { rules: [], ask: [{ method: "POST", path: "/**" }] },
    );
    await t.bot("basecamp", [asked]);
    await t.bot("teller", [{ ...planned, phantom: canary("phantom"), dial: dial(server.port) }]);
    assert.deepEqual(await t.configure({ ...t.config(), notify: [way] }), { type: "configured" });
    const address = asked.hosts[0]?.v4 ?? "";
    const reply = t.request(
      { name: "api.model.test", address },
      { method: "POST", path: "/v1/messages", headers: { "x-api-key": asked.phantom }, body: "" },
    );
    const [wrong, message] = await got.promise;
    assert.equal(wrong, undefined);
    const { rule, outcome, path: shown } = await t.record((each) => each.bot === "teller");
    assert.deepEqual([rule, outcome, shown], ["notify", "done", path("{secret}")]);
    const id = t.sent.flatMap((each) => (each.type === "ask" ? [each.ask.id] : [])).join("");
    const text =
      "Seawall: a call waits for your word\n" +
      `basecamp: POST api[.]model[.]test:${t.port}/v1/messages - answer with: seawall approve ${id.slice(0, 8)} --once`;
    assert.deepEqual(message, body(text));
    await t.broker.receive({ type: "answer", id, verdict: "allow", scope: "once" });
    assert.equal((await reply).status, 200);
    assert.ok(!t.sent.some(({ type }) => type === "health"));
    assert.ok(!t.everything().includes(token));
  });
}
