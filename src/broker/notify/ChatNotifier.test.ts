import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test, type TestContext } from "node:test";
import type { ChatNotifyPlan } from "../../plan/index.ts";
import type { BrokerConfig, BrokerGrant } from "../BrokerConfig.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import type { FromBroker } from "../protocol.ts";
import { chatGrant, modelGrant } from "../testing/grants.ts";
import { canary, TestBroker, type Reply } from "../testing/TestBroker.ts";

const BY_PATH: ChatNotifyPlan = {
  by: "chat",
  bot: "messenger",
  grant: "chat",
  to: "123456",
  host: "api.chat.test",
  path: "/bot{secret}/sendMessage",
  place: { in: "path", template: "/bot{secret}" },
  body: { chat_id: "123456", text: "{text}" },
  saysOk: true,
};
const BY_HEADER: ChatNotifyPlan = {
  by: "chat",
  bot: "messenger",
  grant: "chat",
  to: "town",
  host: "api.chat.test",
  path: "/api/v4/posts",
  place: { in: "header", name: "authorization", prefix: "Bearer " },
  body: { channel_id: "town", message: "{text}", props: { list: ["{text}", 1, null] } },
};

const PAUSE_MS = 30;

type Handle = (request: IncomingMessage, response: ServerResponse, body: string) => void;

interface Setup {
  readonly t: TestBroker;
  /** What the service got with the real token, as it came. */
  readonly messages: { readonly path: string; readonly body: string }[];
  /** What it refused. */
  readonly refused: string[];
  readonly token: string;
  /** What the service does with a message that comes with the real token. */
  answer: Handle;
  readonly chat: InjectBrokerGrant;
  readonly config: (
    notify: readonly ChatNotifyPlan[],
    chatGrants?: readonly BrokerGrant[],
  ) => BrokerConfig;
  /** A call that the owner is asked about. */
  post(path?: string): Promise<Reply>;
  readonly asks: () => string[];
}

/** A bot that asks, another by whose grant the owner is told, and a service that takes the real token alone. */
async function start(context: TestContext, over: { notifyMs?: number } = {}): Promise<Setup> {
  const t = await TestBroker.start({
    chatPauseMs: PAUSE_MS,
    timeouts: { connect: 5000, head: 5000, notify: over.notifyMs ?? 10_000 },
  });
  context.after(() => t.end());
  const token = `7123:${canary("")}`;
  t.secrets.set("model", canary("real"));
  t.secrets.set("chat", token);
  const setup = { messages: [] as Setup["messages"], refused: [] as string[] };
  const chatServer = await t.upstream(["api.chat.test"], (request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const path = request.url ?? "";
      const right =
        path === `/bot${token}/sendMessage` ||
        (path === "/api/v4/posts" && request.headers.authorization === `Bearer ${token}`);
      if (!right || request.method !== "POST") {
        setup.refused.push(path);
        response.writeHead(401).end('{"ok":false}');
        return;
      }
      setup.messages.push({ path, body });
      made.answer(request, response, body);
    });
  });
  const model = await t.upstream(["api.model.test"], (_request, response) => response.end("{}"));
  const dial = (port: number) => ({ host: "127.0.0.1", port, ca: t.upstreamAuthority.ca });
  const at = (port: number) => ({ port: t.port, address: t.nextAddress(), dial: dial(port) });
  const asked = modelGrant(at(model.port), {
    rules: [],
    ask: [{ method: "POST", path: "/**" }],
  });
  const chat = chatGrant(at(chatServer.port), {
    places: [
      { in: "path", template: "/bot{secret}" },
      { in: "header", name: "authorization", prefix: "Bearer " },
    ],
    // The owner's messages are not the bot's calls: neither its rules nor its limits hold for them.
    rules: [{ method: "GET", path: "/bot{secret}/getMe" }],
    limits: { callsPerMinute: 1 },
  });
  await t.bot("basecamp", [asked]);
  await t.bot("messenger", [chat]);
  const [host] = asked.hosts;
  const made: Setup = {
    ...setup,
    t,
    token,
    chat,
    answer: (_request, response) => response.end('{"ok":true}'),
    config: (notify, chatGrants = [chat]) => ({
      ...t.config(
        t.bots.map((bot) => (bot.name === "messenger" ? { ...bot, grants: chatGrants } : bot)),
      ),
      notify,
    }),
    post: (path = "/v1/messages") =>
      t.request(
        { name: host?.name ?? "", address: host?.v4 ?? "" },
        { method: "POST", path, headers: { "x-api-key": asked.phantom }, body: "" },
      ),
    asks: () => {
      const settled = new Set(
        t.sent.flatMap((message) => (message.type === "ask-settled" ? [message.id] : [])),
      );
      return t.sent.flatMap((message) =>
        message.type === "ask" && !settled.has(message.ask.id) ? [message.ask.id] : [],
      );
    },
  };
  return made;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

async function answerAll({ t, asks }: Setup, verdict: "allow" | "deny" = "allow"): Promise<void> {
  for (const id of asks()) await t.broker.receive({ type: "answer", id, verdict, scope: "once" });
}

function healths(t: TestBroker): string[] {
  return t.sent.flatMap((message: FromBroker) =>
    message.type === "health" || message.type === "health-clear"
      ? [`${message.type} ${message.key}`]
      : [],
  );
}

const KEY = "notify:chat messenger chat 123456";

test("ChatNotifier tells the owner by the real token of the grant, and leaves one record", async (c) => {
  const s = await start(c);
  assert.deepEqual(await s.t.configure(s.config([BY_PATH, BY_HEADER])), { type: "configured" });
  const reply = s.post();
  await until(() => s.messages.length === 2);
  const [id = ""] = s.asks();
  const text =
    "Seawall: a call waits for your word\n" +
    `basecamp: POST api[.]model[.]test:${s.t.port}/v1/messages - answer with: seawall approve ${id.slice(0, 8)} --once`;
  const bodies = new Map(s.messages.map(({ path, body }) => [path, JSON.parse(body) as object]));
  assert.deepEqual(bodies.get(`/bot${s.token}/sendMessage`), { chat_id: "123456", text });
  assert.deepEqual(bodies.get("/api/v4/posts"), {
    channel_id: "town",
    message: text,
    props: { list: [text, 1, null] },
  });
  const record = await s.t.record(
    ({ rule, path }) => rule === "notify" && path !== "/api/v4/posts",
  );
  assert.deepEqual(
    { ...record, id: "", time: "", durationMs: 0, bytesOut: 0 },
    {
      id: "",
      time: "",
      bot: "messenger",
      kind: "call",
      grant: "chat",
      host: `api.chat.test:${s.t.port}`,
      method: "POST",
      path: "/bot{secret}/sendMessage",
      rule: "notify",
      decision: "allow",
      outcome: "done",
      status: 200,
      bytesOut: 0,
      bytesIn: 11,
      durationMs: 0,
      ...chainFields(record),
    },
  );
  await answerAll(s);
  assert.equal((await reply).status, 200);
  assert.equal(s.t.records().filter(({ rule }) => rule === "notify").length, 2);
  assert.deepEqual([s.refused, healths(s.t)], [[], []]);
  assert.ok(!s.t.everything().includes(s.token));
});

/** What the record adds to each line for its chain. */
function chainFields(record: object): object {
  const known = new Set(
    "id time bot kind grant host method path rule decision outcome status bytesOut bytesIn durationMs".split(
      " ",
    ),
  );
  return Object.fromEntries(Object.entries(record).filter(([name]) => !known.has(name)));
}

test("ChatNotifier tells of many asks by one message, and not of what was answered meanwhile", async (c) => {
  const s = await start(c);
  await s.t.configure(s.config([BY_PATH]));
  c.mock.timers.enable({ apis: ["setTimeout"] });
  const replies = [s.post("/first")];
  await until(() => s.messages.length === 1);
  for (const path of ["/b", "/c", "/d"]) {
    replies.push(s.post(path));
    await until(() => s.asks().length === replies.length);
  }
  const [, , id = ""] = s.asks();
  await s.t.broker.receive({ type: "answer", id, verdict: "allow", scope: "once" });
  assert.equal((await replies[2])?.status, 200);
  assert.equal(s.messages.length, 1);
  c.mock.timers.tick(PAUSE_MS);
  await until(() => s.messages.length === 2);
  const [first = "", second = ""] = s.messages.map(({ body }) => body);
  assert.match(first, /a call waits.*\/first/);
  assert.match(second, /2 calls wait.*\/b.*\/d/);
  assert.doesNotMatch(second, /\/first|\/c/);
  c.mock.timers.reset();
  await answerAll(s);
  for (const reply of replies) assert.equal((await reply).status, 200);
  assert.equal(s.messages.length, 2);
});

test("ChatNotifier shows neither phantom nor real value, however the bot came by it", async (c) => {
  const s = await start(c);
  const [asking, messenger] = s.t.bots;
  const [grant] = asking?.grants ?? [];
  assert.ok(asking && messenger && grant?.kind === "inject");
  const content = {
    messages: [{ method: "POST", path: "/**", texts: ["/text"] }],
    linkHosts: [],
    otherLinks: "ask",
    previews: "unchanged",
  } as const;
  const real = canary("real");
  s.t.secrets.set("model", real);
  // The call itself may be made; it is the link that is asked about.
  const { ask: rules = [], ...unasked } = grant;
  const bots = [{ ...asking, grants: [{ ...unasked, rules, content }] }, messenger];
  assert.equal(
    (await s.t.configure({ ...s.t.config(bots), notify: [BY_PATH] }))?.type,
    "configured",
  );
  const [host] = grant.hosts;
  const say = (text: string): Promise<Reply> =>
    s.t.request(
      { name: host?.name ?? "", address: host?.v4 ?? "" },
      {
        method: "POST",
        path: "/v1/messages",
        headers: { "x-api-key": grant.phantom, "content-type": "application/json" },
        body: JSON.stringify({ text }),
      },
    );
  for (const [leaked, shown] of [
    [grant.phantom, "%7Bphantom%7D[.]evil[.]test"],
    [real, "%7Bhidden%7D"],
    ["control", "control[.]evil[.]test"],
  ]) {
    const told = s.messages.length;
    const reply = say(`see https://${leaked}.evil.test/`);
    await until(() => s.messages.length > told);
    const { text } = JSON.parse(s.messages[told]?.body ?? "") as { text: string };
    assert.ok(text.includes(`, with links to ${shown} - answer with`), text);
    await answerAll(s, "deny");
    assert.equal((await reply).status, 403);
  }
  assert.ok(!s.messages.some(({ body }) => body.includes(real) || body.includes(grant.phantom)));
});

test("ChatNotifier leaves a chat's answer without any effect on the ask", async (c) => {
  const s = await start(c);
  s.answer = (_request, response, body) => {
    const [, id = ""] = /seawall approve ([0-9a-f]{8})/.exec(body) ?? [];
    response.end(
      JSON.stringify({ ok: true, type: "answer", id, verdict: "allow", text: `/approve ${id}` }),
    );
  };
  await s.t.configure(s.config([BY_PATH]));
  const reply = s.post();
  await s.t.record(({ rule }) => rule === "notify");
  assert.equal(s.asks().length, 1);
  await answerAll(s, "deny");
  assert.equal((await reply).status, 403);
});

for (const [name, answer, code] of [
  ["says no", (_q, response) => response.end('{"ok":false}'), undefined],
  ["fails", (_q, response) => response.writeHead(500).end('{"ok":true}'), undefined],
  [
    "sends people elsewhere",
    (_q, response) => response.writeHead(302, { location: "/x" }).end('{"ok":true}'),
    undefined,
  ],
  ["answers with what is no JSON", (_q, response) => response.end("ok"), undefined],
  ["floods", (_q, response) => response.end("x".repeat(300_000)), undefined],
  ["cuts the connection", (_q, response) => response.destroy(), "upstream-unreachable"],
  ["says nothing", () => undefined, "upstream-unreachable"],
] as readonly [string, Handle, string | undefined][]) {
  test(`ChatNotifier warns of a service that ${name}, and the ask is answered all the same`, async (c) => {
    const s = await start(c, { notifyMs: 1500 });
    s.answer = answer;
    await s.t.configure(s.config([BY_PATH]));
    const reply = s.post();
    await until(() => healths(s.t).length > 0);
    assert.deepEqual(healths(s.t), [`health ${KEY}`]);
    const record = await s.t.record(({ rule }) => rule === "notify");
    if (code === undefined) assert.equal(record.outcome, "done");
    else assert.deepEqual([record.outcome, record.code], ["upstream-error", code]);
    await answerAll(s);
    assert.equal((await reply).status, 200);
    s.answer = (_request, response) => response.end('{"ok":true}');
    const again = s.post();
    await until(() => healths(s.t).length > 1);
    assert.deepEqual(healths(s.t), [`health ${KEY}`, `health-clear ${KEY}`]);
    await answerAll(s);
    assert.equal((await again).status, 200);
    assert.ok(!s.t.everything().includes(s.token));
  });
}

test("ChatNotifier gives the secret to nobody who isn't the granted host, nor without any", async (c) => {
  const s = await start(c);
  const impostor = await s.t.upstream(["other.test"], (_request, response) => response.end());
  const dial = { host: "127.0.0.1", port: impostor.port, ca: s.t.upstreamAuthority.ca };
  await s.t.configure(s.config([BY_PATH], [{ ...s.chat, dial }]));
  const replies = [s.post()];
  const record = await s.t.record(({ rule }) => rule === "notify");
  assert.deepEqual([record.outcome, record.code], ["upstream-error", "upstream-untrusted"]);
  assert.deepEqual(impostor.requests, []);
  // By its own name it would have to be public.
  await s.t.configure(s.config([BY_PATH], [{ ...s.chat, dial: { host: "localhost", port: 1 } }]));
  await s.t.configure(s.config([BY_PATH]));
  s.t.secrets.delete("chat");
  replies.push(s.post("/second"));
  const without = await s.t.record(({ code }) => code === "secret-unavailable");
  assert.deepEqual([without.rule, without.decision], ["notify", "refuse"]);
  await answerAll(s);
  for (const reply of replies) assert.equal((await reply).status, 200);
  assert.deepEqual([s.messages, s.refused], [[], []]);
});

test("ChatNotifier sends nothing more once its chat is taken away, and cuts what is on its way", async (c) => {
  const s = await start(c);
  s.answer = () => undefined;
  await s.t.configure(s.config([BY_PATH]));
  const replies = [s.post()];
  await until(() => s.messages.length === 1);
  const second = s.post("/held");
  await until(() => s.asks().length === 2);
  await s.t.configure(s.config([]));
  const record = await s.t.record(({ rule }) => rule === "notify");
  assert.deepEqual([record.outcome, record.code], ["refused", "grant-withdrawn"]);
  replies.push(second, s.post("/third"));
  await until(() => s.asks().length === 3);
  // Back again: whatever was still held or came meanwhile would be told before this one.
  s.answer = (_request, response) => response.end('{"ok":true}');
  await s.t.configure(s.config([BY_HEADER]));
  replies.push(s.post("/fourth"));
  await until(() => s.messages.some(({ body }) => body.includes("/fourth")));
  assert.ok(!s.messages.some(({ body }) => body.includes("/third")));
  assert.equal(s.messages.filter(({ path }) => path !== "/api/v4/posts").length, 1);
  await answerAll(s);
  for (const reply of replies) assert.equal((await reply).status, 200);
  assert.deepEqual(healths(s.t), []);
});

test("ChatNotifier takes its warning back when the chat is no more", async (c) => {
  const s = await start(c);
  s.answer = (_request, response) => response.end('{"ok":false}');
  await s.t.configure(s.config([BY_PATH]));
  const reply = s.post();
  await until(() => healths(s.t).length > 0);
  await s.t.configure(s.config([]));
  assert.deepEqual(healths(s.t), [`health ${KEY}`, `health-clear ${KEY}`]);
  await answerAll(s);
  assert.equal((await reply).status, 200);
});

test("the broker takes no configuration by which the owner could not be told", async (c) => {
  const s = await start(c);
  for (const wrong of [
    { ...BY_PATH, bot: "nobody" },
    { ...BY_PATH, grant: "nothing" },
    { ...BY_PATH, host: "api.model.test" },
    { ...BY_PATH, place: BY_HEADER.place },
    { ...BY_HEADER, place: BY_PATH.place },
  ]) {
    const answer = await s.t.configure(s.config([wrong]));
    assert.deepEqual(
      [answer?.type, answer?.type === "refused" && answer.code],
      ["refused", "config-invalid"],
    );
  }
});
