import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { test, type TestContext } from "node:test";
import { replyTo } from "./AnthropicStandIn.ts";
import { DemoError } from "./DemoError.ts";
import { startStandIns, type StandIns } from "./startStandIns.ts";

const KEY = "sk-ant-api03-a-key-made-for-this-test";
const TOKEN = "7123456789:AAa-token-made-for-this-test_12345";

async function start(t: TestContext): Promise<StandIns> {
  const standIns = await startStandIns({ anthropicKey: KEY, telegramToken: TOKEN });
  t.after(() => standIns.close());
  return standIns;
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

/** One call as the bot makes it: to the service's real name, trusting the stand-ins' CA only. */
async function call(
  standIns: StandIns,
  service: "anthropic" | "telegram",
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const sent = request({
    host: "127.0.0.1",
    port: standIns[service].port,
    servername: service === "anthropic" ? "api.anthropic.com" : "api.telegram.org",
    ca: standIns.caPem,
    agent: false,
    path,
    method: body === undefined ? "GET" : "POST",
    headers: { "content-type": "application/json", ...headers },
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const text = Buffer.concat(await response.toArray()).toString();
  const isJson = response.headers["content-type"] === "application/json";
  const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.statusCode ?? 0, text, json };
}

const bot = (standIns: StandIns, method: string, body: object = {}): Promise<Reply> =>
  call(standIns, "telegram", `/bot${TOKEN}/${method}`, body);
const ask = (
  standIns: StandIns,
  body: object,
  headers: Record<string, string> = { "x-api-key": KEY },
) => call(standIns, "anthropic", "/v1/messages", body, headers);
const question = (content: unknown): object => ({
  model: "claude-sonnet-4-6",
  max_tokens: 100,
  messages: [{ role: "user", content }],
});

test("Anthropic's stand-in takes the one key and answers 401 to all else", async (t) => {
  const standIns = await start(t);
  const wrong: Record<string, string>[] = [
    {},
    { "x-api-key": `${KEY}x` },
    { "x-api-key": "" },
    { authorization: KEY },
  ];
  for (const headers of wrong) {
    const reply = await ask(standIns, question("hello"), headers);
    assert.equal(reply.status, 401);
    assert.deepEqual(reply.json["error"], {
      type: "authentication_error",
      message: "invalid x-api-key",
    });
  }
  assert.equal((await ask(standIns, question("hello"))).status, 200);
  assert.equal(
    (await ask(standIns, question("hello"), { authorization: `Bearer ${KEY}` })).status,
    200,
  );
  assert.deepEqual(
    standIns.anthropic.calls.map((seen) => [seen.credentialHeaders.join(), seen.accepted]),
    [
      ["", false],
      ["x-api-key", false],
      ["x-api-key", false],
      ["authorization", false],
      ["x-api-key", true],
      ["authorization", true],
    ],
  );
  assert(!JSON.stringify(standIns.anthropic.calls).includes(KEY));
});

test("Anthropic's stand-in answers a whole message with the user's own word", async (t) => {
  const standIns = await start(t);
  const { json } = await ask(standIns, question("Which word comes after pebble?"));
  assert.equal(json["stop_reason"], "end_turn");
  assert.deepEqual(json["content"], [{ type: "text", text: "After pebble comes seawall." }]);
});

test("Anthropic's stand-in streams the events in the API's order", async (t) => {
  const standIns = await start(t);
  const { text } = await ask(standIns, { ...question("Say the word: dune"), stream: true });
  const events = text
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => /^event: (\w+)\ndata: (.*)$/.exec(block))
    .map((match) => ({
      name: match?.[1],
      data: JSON.parse(match?.[2] ?? "{}") as Record<string, unknown>,
    }));
  for (const { name, data } of events) assert.equal(name, data["type"]);
  const order = events.map(({ name }) => name).filter((name, at, all) => name !== all[at - 1]);
  assert.deepEqual(order, [
    "message_start",
    "content_block_start",
    "ping",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
  ]);
  const pieces = events.map(
    ({ data }) => (data["delta"] as { text?: string } | undefined)?.text ?? "",
  );
  assert.equal(pieces.join(""), "The word is dune.");
});

test("Anthropic's stand-in lists models, and refuses what the API refuses", async (t) => {
  const standIns = await start(t);
  const headers = { "x-api-key": KEY };
  const models = await call(standIns, "anthropic", "/v1/models", undefined, headers);
  assert((models.json["data"] as { id: string }[]).some(({ id }) => id === "claude-sonnet-4-6"));
  assert.equal((await call(standIns, "anthropic", "/v1/nothing", undefined, headers)).status, 404);
  assert.equal((await ask(standIns, { model: "x" })).status, 400);
});

test("Anthropic's stand-in answers the user, not what OpenClaw puts behind", async (t) => {
  const standIns = await start(t);
  const context =
    "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nsay the word: wrong\n<<<END_OPENCLAW_INTERNAL_CONTEXT>>>";
  const body = {
    ...question([{ type: "text", text: "Info\n\nSay the word: right" }]),
    messages: [
      { role: "user", content: [{ type: "text", text: "Info\n\nSay the word: right" }] },
      { role: "user", content: [{ type: "text", text: context }] },
    ],
  };
  assert.match((await ask(standIns, body)).text, /The word is right\./);
});

test("replyTo() repeats the last line when there is no word to say", () => {
  assert.equal(replyTo("first\nlast\n"), "You wrote: last");
  assert.equal(replyTo(""), "You wrote: ");
});

test("Telegram's stand-in takes the one token: 401 for another, 404 for none", async (t) => {
  const standIns = await start(t);
  const get = (path: string): Promise<Reply> => call(standIns, "telegram", path);
  const reply = await get(`/bot${TOKEN}x/getMe`);
  assert.equal(reply.status, 401);
  assert.deepEqual(reply.json, { ok: false, error_code: 401, description: "Unauthorized" });
  assert.equal((await get("/getMe")).status, 404);
  assert.equal((await get(`/file/bot${TOKEN}x/a`)).status, 401);
  const me = await get(`/bot${encodeURIComponent(TOKEN)}/getMe`);
  assert.equal((me.json["result"] as { id: number }).id, 7123456789);
  assert(!JSON.stringify(standIns.telegram.calls).includes(TOKEN));
  assert.deepEqual(
    standIns.telegram.calls.map((seen) => seen.accepted),
    [false, false, true],
  );
});

test("Telegram's stand-in hands the user's message to a waiting poll, until confirmed", async (t) => {
  const standIns = await start(t);
  assert.deepEqual((await bot(standIns, "getUpdates", { timeout: 0 })).json["result"], []);
  const waiting = bot(standIns, "getUpdates", { timeout: 50 });
  standIns.telegram.sendAsUser("hello");
  const [update] = (await waiting).json["result"] as {
    update_id: number;
    message: { text: string; from: { id: number } };
  }[];
  assert.equal(update?.message.text, "hello");
  assert.equal(update?.message.from.id, standIns.telegram.userId);
  const again = await bot(standIns, "getUpdates", { timeout: 50 });
  assert.equal((again.json["result"] as unknown[]).length, 1, "not confirmed yet");
  const offset = (update?.update_id ?? 0) + 1;
  assert.deepEqual((await bot(standIns, "getUpdates", { offset, timeout: 0 })).json["result"], []);
});

test("Telegram's stand-in ends a poll when another begins, as the API does", async (t) => {
  const standIns = await start(t);
  const polls = [1, 2].map(() => bot(standIns, "getUpdates", { timeout: 50 }));
  const first = await Promise.race(polls);
  assert.equal(first.status, 409);
  standIns.telegram.sendAsUser("hello");
  const statuses = (await Promise.all(polls)).map((reply) => reply.status);
  assert.deepEqual(new Set(statuses), new Set([200, 409]));
});

test("nextReply() gives what the bot has written in the end", async (t) => {
  const standIns = await start(t);
  const chat_id = standIns.telegram.userId;
  const reply = standIns.telegram.nextReply(20_000);
  const say = async (text: string): Promise<number> => {
    const { json } = await bot(standIns, "sendMessage", { chat_id, text });
    return (json["result"] as { message_id: number }).message_id;
  };
  const draft = await say("thinking");
  await bot(standIns, "deleteMessage", { chat_id, message_id: draft });
  const message_id = await say("The w");
  const edit = { chat_id, message_id, parse_mode: "HTML" };
  await bot(standIns, "editMessageText", { ...edit, text: "The <b>word</b> &amp; &lt;more&gt;" });
  assert.equal(await reply, "The word & <more>");
  await say("second");
  assert.equal(await standIns.telegram.nextReply(20_000), "second");
});

test("nextReply() says no-reply when none came", async (t) => {
  const standIns = await start(t);
  await assert.rejects(
    standIns.telegram.nextReply(1),
    (error) => error instanceof DemoError && error.code === "no-reply",
  );
});

test("startStandIns() has certificates no other authority vouches for", async (t) => {
  const [one, two] = [await start(t), await start(t)];
  await assert.rejects(bot({ ...one, caPem: two.caPem }, "getMe"), { code: /VERIFY|SIGNATURE/ });
});

test("close() ends a poll that waits", async (t) => {
  const standIns = await startStandIns({ anthropicKey: KEY, telegramToken: TOKEN });
  t.after(() => standIns.close().catch(() => undefined));
  const poll = bot(standIns, "getUpdates", { timeout: 50 });
  const begun = standIns.telegram.calls;
  await bot(standIns, "getMe");
  while (!begun.some((seen) => seen.method === "getUpdates")) await bot(standIns, "getMe");
  const cut = assert.rejects(poll, { code: "ECONNRESET" });
  await standIns.close();
  await cut;
});
