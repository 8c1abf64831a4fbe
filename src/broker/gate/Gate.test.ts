import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { LimitsPlan } from "../../plan/index.ts";
import type { Decision } from "../decide/decide.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import type { Call } from "../match.ts";
import type { FromBroker } from "../protocol.ts";
import { isRefusal, type Refusal } from "../Refusal.ts";
import type { Admission } from "./Admission.ts";
import { Gate } from "./Gate.ts";
import { UNKNOWN_GRANT } from "./UnknownHosts.ts";

const folder = mkdtempSync(join(tmpdir(), "seawall-gate-"));
after(() => {
  rmSync(folder, { recursive: true });
});
const NEVER = new AbortController().signal;
const MIDDAY = Date.UTC(2026, 10, 23, 12);

class TestGate {
  /** Milliseconds that the test moves on. */
  wall = MIDDAY;
  steady = 0;
  readonly sent: FromBroker[] = [];
  readonly gate: Gate;

  constructor(botLimits?: LimitsPlan, file = join(folder, `${Math.random()}.json`)) {
    this.gate = new Gate({
      send: (message) => this.sent.push(message),
      limitsOf: () => botLimits,
      clock: { wall: () => this.wall, steady: () => this.steady },
    });
    this.gate.open(file);
  }

  pass(milliseconds: number): void {
    this.wall += milliseconds;
    this.steady += milliseconds;
  }

  admit(
    more: Partial<InjectBrokerGrant>,
    how: { verdict?: Decision["verdict"]; call?: Call; signal?: AbortSignal } = {},
  ): Promise<Admission | Refusal> {
    const { verdict = "allow", call = CALL, signal = NEVER } = how;
    const granted = { bot: "basecamp", grant: { ...GRANT, ...more }, host: HOST };
    const decision = { granted, rule: "POST /v1/**", verdict, placed: [], path: call.path };
    return this.gate.admit(decision, call, signal);
  }

  async open(more: Partial<InjectBrokerGrant>): Promise<Admission> {
    const admission = await this.admit(more);
    assert.ok(!isRefusal(admission), JSON.stringify(admission));
    return admission;
  }

  async code(more: Partial<InjectBrokerGrant>): Promise<string> {
    const admission = await this.admit(more);
    return isRefusal(admission) ? admission.refused : "admitted";
  }

  /** One call from its beginning to its end. */
  async whole(more: Partial<InjectBrokerGrant>, reply: object, bytesOut = 0): Promise<unknown> {
    const admission = await this.open(more);
    const text = Buffer.from(JSON.stringify(reply));
    const watcher = admission.watch({ status: 200, type: "application/json" });
    watcher?.push(text);
    watcher?.end();
    return admission.end({ bytesOut, bytesIn: text.length, outcome: "done" });
  }

  asks(): Extract<FromBroker, { type: "ask" }>["ask"][] {
    return this.sent.flatMap((message) => (message.type === "ask" ? [message.ask] : []));
  }

  settled(): number {
    return this.sent.filter(({ type }) => type === "ask-settled").length;
  }
}

const HOST = { name: "api.test", port: 443, scheme: "https", v4: "11.0.0.1" } as const;
const GRANT: InjectBrokerGrant = {
  kind: "inject",
  name: "model",
  service: "anthropic",
  hosts: [HOST],
  secret: "secret",
  phantom: "phantom-phantom",
  places: [],
  rules: [],
  anonymous: [],
};
const CALL: Call = {
  method: "POST",
  path: "/v1/messages",
  query: "",
  host: "api.test",
  headers: [],
  body: "none",
};
const MODEL = { usage: "anthropic" } as const;
const used = (input: number, output: number) => ({
  model: "claude-haiku-4-5",
  usage: { input_tokens: input, output_tokens: output },
});

test("Gate lets a call without limits in, and tells its tokens", async () => {
  const gate = new TestGate();
  assert.deepEqual(await gate.whole({}, used(1, 2)), {});
  assert.deepEqual(await gate.whole(MODEL, used(10, 2)), {
    tokensIn: 10,
    tokensOut: 2,
    microdollars: 20,
  });
  // What a made-up model cost nobody knows.
  assert.deepEqual(await gate.whole(MODEL, { ...used(10, 2), model: "own" }), {
    tokensIn: 10,
    tokensOut: 2,
  });
  assert.deepEqual(gate.sent, []);
});

test("Gate counts calls per minute by grant and by bot", async () => {
  const gate = new TestGate({ callsPerMinute: 5 });
  const limits = { callsPerMinute: 3 };
  for (let count = 0; count < 3; count += 1)
    (await gate.open({ limits })).end({ bytesOut: 0, bytesIn: 0 });
  assert.deepEqual(await gate.admit({ limits }), { refused: "rate-limit", retryAfter: 20 });
  gate.pass(20_000);
  assert.equal(await gate.code({ limits }), "admitted");
  assert.equal(await gate.code({ limits }), "rate-limit");
  // Another grant has its own count, and the bot's: 5 at once, 2 more by now, 4 used.
  for (let count = 0; count < 2; count += 1)
    assert.equal(await gate.code({ name: "other", limits }), "admitted");
  assert.equal(await gate.code({ name: "other", limits }), "rate-limit");
});

test("Gate lets in no more of 100 calls at once than its limits", async () => {
  const gate = new TestGate();
  for (const [limits, most] of [
    [{ callsPerMinute: 10 }, 10],
    [{ concurrentCalls: 4 }, 4],
    [{ tokensPerDay: 10_000 }, 5],
    [{ microdollarsPerDay: 100_000 }, 5],
  ] as const) {
    const name = JSON.stringify(limits);
    const all = await Promise.all(
      Array.from({ length: 100 }, () => gate.admit({ ...MODEL, name, limits })),
    );
    const admitted = all.filter((each) => !isRefusal(each));
    assert.equal(admitted.length, most, name);
  }
});

test("Gate frees a place when a call ends, once", async () => {
  const gate = new TestGate();
  const limits = { concurrentCalls: 1 };
  const first = await gate.open({ limits });
  assert.equal(await gate.code({ limits }), "concurrency-limit");
  for (let count = 0; count < 3; count += 1) first.end({ bytesOut: 0, bytesIn: 0 });
  assert.equal(await gate.code({ limits }), "admitted");
  assert.equal(await gate.code({ limits }), "concurrency-limit");
});

test("Gate refuses tokens and money once the day's are used, until midnight in UTC", async () => {
  for (const [limits, refused] of [
    [{ tokensPerDay: 100 }, "token-limit"],
    [{ microdollarsPerDay: 300 }, "money-limit"],
  ] as const) {
    const gate = new TestGate();
    await gate.whole({ ...MODEL, limits }, used(50, 49));
    assert.equal(await gate.code({ name: "other", ...MODEL, limits }), "admitted");
    await gate.whole({ ...MODEL, limits }, used(1, 0));
    const refusal = await gate.admit({ ...MODEL, limits });
    if (refused === "token-limit") assert.deepEqual(refusal, { refused, retryAfter: 12 * 3600 });
    gate.pass(12 * 3_600_000 - 1);
    if (refused === "token-limit") assert.equal(await gate.code({ ...MODEL, limits }), refused);
    gate.pass(1);
    assert.equal(await gate.code({ ...MODEL, limits }), "admitted");
  }
});

test("Gate charges a model it doesn't know as the dearest where money is limited", async () => {
  const gate = new TestGate();
  const limits = { microdollarsPerDay: 1_000_000 };
  const reply = { ...used(0, 1000), model: "claude-brand-new" };
  assert.deepEqual(await gate.whole({ ...MODEL, limits }, reply), {
    tokensIn: 0,
    tokensOut: 1000,
    microdollars: 75_000,
  });
});

test("Gate takes OpenRouter's own cost, and nobody else's", async () => {
  const gate = new TestGate();
  const reply = {
    model: "openai/gpt-5-mini",
    usage: { prompt_tokens: 4, completion_tokens: 0, cost: 0.5 },
  };
  const end = async (service: string) => gate.whole({ usage: "openai", service }, reply);
  assert.deepEqual(await end("openrouter"), { tokensIn: 4, tokensOut: 0, microdollars: 500_000 });
  assert.deepEqual(await end("openai"), { tokensIn: 4, tokensOut: 0, microdollars: 1 });
});

test("Gate charges a bot that hangs up before the usage comes", async () => {
  const gate = new TestGate();
  const limits = { tokensPerDay: 1000 };
  const early = await gate.open({ ...MODEL, limits });
  assert.deepEqual(early.end({ bytesOut: 2000, bytesIn: 0, outcome: "client-abort" }), {
    tokensIn: 500,
    tokensOut: 0,
    tokensEstimated: true,
  });
  const late = await gate.open({ ...MODEL, limits });
  const watcher = late.watch({ status: 200, type: "text/event-stream" });
  const start = {
    message: { model: "claude-haiku-4-5", usage: { input_tokens: 400, output_tokens: 1 } },
  };
  watcher?.push(Buffer.from(`data: ${JSON.stringify(start)}\n\n`));
  for (let count = 0; count < 150; count += 1) watcher?.push(Buffer.from('data: {"x":1}\n\n'));
  const end = late.end({ bytesOut: 10, bytesIn: 0, outcome: "client-abort" });
  assert.equal(end.tokensIn, 400);
  assert.ok((end.tokensOut ?? 0) >= 150);
  assert.equal(await gate.code({ ...MODEL, limits }), "token-limit");
});

test("Gate charges nothing for what made no model work", async () => {
  const gate = new TestGate();
  const limits = { tokensPerDay: 10_000 };
  assert.deepEqual(await gate.whole({ ...MODEL, limits }, { data: [] }, 4000), {});
  for (const outcome of ["upstream-error", "refused", "internal-error"] as const) {
    const admission = await gate.open({ ...MODEL, limits });
    assert.deepEqual(admission.end({ bytesOut: 4000, bytesIn: 0, outcome }), {});
  }
  const failed = await gate.open({ ...MODEL, limits });
  assert.equal(failed.watch({ status: 529, type: "application/json" }), undefined);
  assert.deepEqual(failed.end({ bytesOut: 4000, bytesIn: 9, outcome: "done" }), {});
});

test("Gate says when the day's bytes are used up, in the middle of a call", async () => {
  const gate = new TestGate();
  const limits = { bytesPerDay: 100 };
  const admission = await gate.open({ limits });
  let cut = 0;
  admission.onSpent(() => (cut += 1));
  admission.count(60);
  admission.count(40);
  assert.equal(cut, 0);
  admission.count(1);
  admission.count(1);
  assert.equal(cut, 1);
  admission.end({ bytesOut: 60, bytesIn: 42 });
  assert.deepEqual(await gate.admit({ limits }), { refused: "byte-limit", retryAfter: 12 * 3600 });
});

test("Gate remembers what was used when it comes again", async () => {
  const file = join(folder, "again.json");
  const limits = { tokensPerDay: 100, callsPerMinute: 2 };
  const first = new TestGate(undefined, file);
  await first.whole({ ...MODEL, limits }, used(99, 0));
  first.gate.close();
  const second = new TestGate(undefined, file);
  assert.equal(await second.code({ ...MODEL, limits }), "admitted");
  assert.equal(await second.code({ ...MODEL, limits }), "rate-limit");
  second.gate.close();
  const third = new TestGate(undefined, file);
  third.pass(60_000);
  // What ran when the second one ended counts as what was set aside for it.
  assert.equal(await third.code({ ...MODEL, limits }), "token-limit");
  assert.equal(await third.code({ name: "other", ...MODEL, limits }), "admitted");
});

test("Gate writes what was used without being closed", async () => {
  const file = join(folder, "written.json");
  const gate = new TestGate(undefined, file);
  await gate.whole({ ...MODEL, limits: { tokensPerDay: 100 } }, used(100, 0));
  while (!existsSync(file)) await new Promise((resolve) => setImmediate(resolve));
  const later = new TestGate(undefined, file);
  assert.equal(await later.code({ ...MODEL, limits: { tokensPerDay: 100 } }), "token-limit");
});

test("Gate puts a damaged file aside and tells of it", async () => {
  const file = join(folder, "damaged.json");
  for (const text of ["", "{", "[]", '{"meters":{"x":{"days":{"y":{"bytes":"1"}}}}}']) {
    writeFileSync(file, text);
    const gate = new TestGate(undefined, file);
    assert.deepEqual(
      gate.sent.map(({ type }) => type),
      ["health"],
    );
    assert.equal(readFileSync(`${file}.damaged`, "utf8"), text);
    assert.equal(await gate.code({ limits: { tokensPerDay: 1 } }), "admitted");
  }
});

test("Gate forgives nothing when the clock is set back or forth", async () => {
  const gate = new TestGate();
  const limits = { tokensPerDay: 100, callsPerMinute: 100 };
  await gate.whole({ ...MODEL, limits }, used(100, 0));
  const today = gate.wall;
  gate.wall = today - 86_400_000;
  await gate.whole({ ...MODEL, limits }, used(100, 0));
  assert.equal(await gate.code({ ...MODEL, limits }), "token-limit");
  gate.wall = today;
  assert.equal(await gate.code({ ...MODEL, limits }), "token-limit");
  gate.wall = today + 86_400_000;
  await gate.whole({ ...MODEL, limits }, used(100, 0));
  gate.wall = today;
  assert.equal(await gate.code({ ...MODEL, limits }), "token-limit");
  const few = { callsPerMinute: 1 };
  (await gate.open({ name: "few", limits: few })).end({ bytesOut: 0, bytesIn: 0 });
  gate.wall += 10 * 60_000;
  assert.equal(await gate.code({ name: "few", limits: few }), "rate-limit");
});

test("Gate asks, waits, and does as the owner says", async () => {
  const gate = new TestGate();
  for (const [verdict, wanted] of [
    ["allow", "admitted"],
    ["deny", "not-approved"],
  ] as const) {
    const waiting = gate.admit({}, { verdict: "ask" });
    const ask = gate.asks().at(-1);
    assert.equal(ask?.rule, "POST /v1/**");
    assert.deepEqual(
      [ask.bot, ask.grant, ask.host, ask.method, ask.path],
      ["basecamp", "model", "api.test:443", "POST", "/v1/messages"],
    );
    assert.equal(Date.parse(ask.until) - Date.parse(ask.since), 300_000);
    gate.gate.answer({ type: "answer", id: "another", verdict: "allow", scope: "hour" });
    gate.gate.answer({ type: "answer", id: ask.id, verdict, scope: "once" });
    const admission = await waiting;
    assert.equal(isRefusal(admission) ? admission.refused : "admitted", wanted);
  }
  assert.equal(gate.settled(), 2);
});

test("Gate takes no answer in time for a no", async () => {
  const gate = new TestGate();
  gate.gate.open(join(folder, "short.json"), 1);
  assert.deepEqual(await gate.admit({}, { verdict: "ask" }), { refused: "not-approved" });
  assert.equal(gate.settled(), 1);
});

test("Gate takes an ask back when the bot has gone", async () => {
  const gate = new TestGate({ concurrentCalls: 1 });
  const gone = new AbortController();
  const waiting = gate.admit({}, { verdict: "ask", signal: gone.signal });
  assert.equal(await gate.code({}), "concurrency-limit");
  gone.abort();
  assert.deepEqual(await waiting, { refused: "not-approved" });
  assert.equal(gate.settled(), 1);
  assert.equal(await gate.code({}), "admitted");
});

test("Gate remembers an answer for an hour, for alike calls only", async () => {
  const gate = new TestGate();
  const waiting = gate.admit({}, { verdict: "ask" });
  const [ask] = gate.asks();
  gate.gate.answer({ type: "answer", id: ask?.id ?? "", verdict: "allow", scope: "hour" });
  assert.ok(!isRefusal(await waiting));
  gate.pass(3_599_999);
  const other = { ...CALL, path: "/v1/other" };
  assert.ok(!isRefusal(await gate.admit({}, { verdict: "ask", call: other })));
  assert.equal(gate.asks().length, 1);
  void gate.admit({ name: "other" }, { verdict: "ask" });
  assert.equal(gate.asks().length, 2);
  gate.pass(1);
  void gate.admit({}, { verdict: "ask" });
  assert.equal(gate.asks().length, 3);
  gate.gate.close();
});

test("Gate forgets an hour's answer when either clock says so", async () => {
  for (const move of [{ wall: -1 }, { wall: 3_600_000 }, { steady: 3_600_000 }]) {
    const gate = new TestGate();
    const waiting = gate.admit({}, { verdict: "ask" });
    gate.gate.answer({
      type: "answer",
      id: gate.asks()[0]?.id ?? "",
      verdict: "allow",
      scope: "hour",
    });
    await waiting;
    gate.wall += move.wall ?? 0;
    gate.steady += move.steady ?? 0;
    void gate.admit({}, { verdict: "ask" });
    assert.equal(gate.asks().length, 2, JSON.stringify(move));
    gate.gate.close();
  }
});

test("Gate asks once for calls that are alike, and one yes lets one of them act", async () => {
  const gate = new TestGate();
  const results: (string | undefined)[] = [];
  const all = Array.from({ length: 3 }, async (_each, index) => {
    const admission = await gate.admit({}, { verdict: "ask" });
    results[index] = isRefusal(admission) ? admission.refused : "admitted";
  });
  assert.equal(gate.asks().length, 1);
  const answer = (verdict: "allow" | "deny") => {
    const id = gate.asks().at(-1)?.id ?? "";
    gate.gate.answer({ type: "answer", id, verdict, scope: "once" });
  };
  answer("allow");
  await all[0];
  assert.deepEqual(results, ["admitted"]);
  assert.equal(gate.asks().length, 2);
  answer("deny");
  await Promise.all(all);
  assert.deepEqual(results, ["admitted", "not-approved", "not-approved"]);
  const reads = { ...CALL, method: "GET" };
  const reading = [1, 2, 3].map(() => gate.admit({}, { verdict: "ask", call: reads }));
  assert.equal(gate.asks().length, 3);
  answer("allow");
  for (const each of await Promise.all(reading)) assert.ok(!isRefusal(each));
});

test("Gate lets nobody slip in under an ask for another body", async () => {
  const gate = new TestGate();
  const body = (text: string): Call => ({
    ...CALL,
    body: "length",
    content: { bytes: Buffer.from(text), type: "", parameters: new Map() },
  });
  const calls = [body("a"), body("a"), body("b"), { ...CALL, body: "length" as const }];
  const waiting = [...calls, { ...CALL, body: "length" as const }].map((call) =>
    gate.admit({}, { verdict: "ask", call }),
  );
  assert.equal(gate.asks().length, 4);
  gate.gate.close();
  for (const each of await Promise.all(waiting))
    assert.deepEqual(each, { refused: "not-approved" });
});

test("Gate bounds how much the owner is asked at once", async () => {
  const gate = new TestGate();
  const call = (path: string): Call => ({ ...CALL, path });
  const waiting = Array.from({ length: 8 }, (_each, index) =>
    gate.admit({}, { verdict: "ask", call: call(`/${index}`) }),
  );
  assert.deepEqual(await gate.admit({}, { verdict: "ask", call: call("/9") }), {
    refused: "too-many-asks",
    retryAfter: 60,
  });
  gate.gate.close();
  await Promise.all(waiting);
  assert.equal(gate.settled(), 8);
});

test("Gate asks about connections to hosts that no grant has", async () => {
  const gate = new TestGate();
  const granted = {
    bot: "basecamp",
    grant: { kind: "tunnel", name: UNKNOWN_GRANT, hosts: [HOST] },
    host: HOST,
  } as const;
  const waiting = gate.gate.admitTunnel(granted, NEVER);
  const [ask] = gate.asks();
  assert.deepEqual([ask?.rule, ask?.grant, ask?.host], ["unknown-host", undefined, "api.test:443"]);
  gate.gate.answer({ type: "answer", id: ask?.id ?? "", verdict: "allow", scope: "hour" });
  assert.ok(!isRefusal(await waiting));
  assert.ok(!isRefusal(await gate.gate.admitTunnel(granted, NEVER)));
  const known = { ...granted, grant: { ...granted.grant, name: "tunnel" } };
  assert.ok(!isRefusal(await gate.gate.admitTunnel(known, NEVER)));
  assert.equal(gate.asks().length, 1);
});

test("Gate lets no bot wear its owner down", async () => {
  const gate = new TestGate();
  const ask = async (verdict: "allow" | "deny") => {
    const before = gate.asks().length;
    const waiting = gate.admit({}, { verdict: "ask" });
    const asked = gate.asks()[before];
    if (asked !== undefined)
      gate.gate.answer({ type: "answer", id: asked.id, verdict, scope: "once" });
    const admission = await waiting;
    return isRefusal(admission) ? admission.refused : "admitted";
  };
  for (let count = 0; count < 15; count += 1) assert.equal(await ask("deny"), "not-approved");
  assert.equal(await ask("allow"), "admitted");
  for (let count = 0; count < 16; count += 1) assert.equal(await ask("deny"), "not-approved");
  assert.equal(await ask("allow"), "too-many-asks");
  gate.pass(10 * 60_000);
  assert.equal(await ask("allow"), "admitted");
});

test("Gate bounds how many calls of a bot wait", async () => {
  const gate = new TestGate();
  const waiting = Array.from({ length: 32 }, () => gate.admit({}, { verdict: "ask" }));
  assert.equal(gate.asks().length, 1);
  const one = await gate.admit({}, { verdict: "ask" });
  assert.deepEqual(one, { refused: "too-many-asks", retryAfter: 60 });
  gate.gate.close();
  await Promise.all(waiting);
});
