import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, before, describe, test } from "node:test";
import type { ContentPlan, LimitsPlan } from "../../plan/index.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { modelGrant } from "../testing/grants.ts";
import { canary, TestBroker, type Reply } from "../testing/TestBroker.ts";

const USED = {
  model: "claude-haiku-4-5",
  usage: { input_tokens: 60, output_tokens: 40 },
};

describe("limits, asks and content through the broker", () => {
  let t: TestBroker;
  let grant: InjectBrokerGrant;
  let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void;
  let count = 0;
  before(async () => {
    t = await TestBroker.start();
    t.secrets.set("model", canary("real"));
    const { port } = await t.upstream(["api.model.test"], (request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        answer(request, response, body);
      });
    });
    const dial = { host: "127.0.0.1", port, ca: t.upstreamAuthority.ca };
    grant = modelGrant({ port: t.port, address: t.nextAddress(), dial });
    await t.bot("basecamp", [grant]);
  });
  after(() => t.end());

  /** Puts a grant of a new name in force, so that each test has meters of its own. */
  async function inForce(more: Partial<InjectBrokerGrant>, limits?: LimitsPlan): Promise<string> {
    const name = `grant-${(count += 1)}`;
    answer = (_request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(USED));
    };
    const bots = t.bots.map((bot) => ({
      ...bot,
      grants: [{ ...grant, ...more, name }],
      ...(limits === undefined ? {} : { limits }),
    }));
    assert.deepEqual(await t.configure(t.config(bots)), { type: "configured" });
    return name;
  }
  function post(body: string | object = "", path = "/v1/messages"): Promise<Reply> {
    const [host] = grant.hosts;
    return t.request(
      { name: host?.name ?? "", address: host?.v4 ?? "" },
      {
        method: "POST",
        path,
        headers: { "x-api-key": grant.phantom, "content-type": "application/json" },
        body: typeof body === "string" ? body : JSON.stringify(body),
      },
    );
  }
  const codeOf = ({ body }: Reply): unknown =>
    (JSON.parse(body) as { error?: { code?: string } }).error?.code;
  async function nextAsk(): Promise<string> {
    const settled = new Set(
      t.sent.flatMap((message) => (message.type === "ask-settled" ? [message.id] : [])),
    );
    for (;;) {
      for (const message of t.sent)
        if (message.type === "ask" && !settled.has(message.ask.id)) return message.ask.id;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  test("tokens are read from the reply, recorded, and their limit refuses with 429", async () => {
    const name = await inForce({
      usage: "anthropic",
      service: "anthropic",
      limits: { tokensPerDay: 100 },
    });
    assert.equal((await post()).status, 200);
    const record = (await t.record((each) => each.grant === name)) as object;
    assert.equal(Reflect.get(record, "tokensIn"), 60);
    assert.equal(Reflect.get(record, "tokensOut"), 40);
    assert.equal(Reflect.get(record, "microdollars"), 260);
    const refused = await post();
    assert.deepEqual([refused.status, codeOf(refused)], [429, "token-limit"]);
    assert.ok(Number(refused.headers["retry-after"]) > 0);
  });

  test("money that is used up is a 402", async () => {
    await inForce({
      usage: "anthropic",
      service: "anthropic",
      limits: { microdollarsPerDay: 260 },
    });
    assert.equal((await post()).status, 200);
    const refused = await post();
    assert.deepEqual([refused.status, codeOf(refused)], [402, "money-limit"]);
  });

  test("a bot's limit holds over its grants", async () => {
    const limits = { callsPerMinute: 2 };
    await inForce({}, limits);
    assert.equal((await post()).status, 200);
    await inForce({}, limits);
    assert.equal((await post()).status, 200);
    const refused = await post();
    assert.deepEqual([refused.status, codeOf(refused)], [429, "rate-limit"]);
    assert.equal(refused.headers["retry-after"], "30");
  });

  test("a reply that passes the day's bytes is cut", async () => {
    const name = await inForce({ limits: { bytesPerDay: 100_000 } });
    answer = (_request, response) => {
      response.write("x".repeat(90_000));
      const more = setInterval(() => response.write("x".repeat(5000)), 1);
      response.once("close", () => {
        clearInterval(more);
      });
    };
    await assert.rejects(post());
    const record = await t.record((each) => each.grant === name);
    assert.deepEqual([record.outcome, record.code, record.status], ["refused", "byte-limit", 200]);
    assert.ok((record.bytesIn ?? 0) > 100_000);
    assert.equal(codeOf(await post()), "byte-limit");
  });

  test("an upload that passes the day's bytes never arrives whole", async () => {
    await inForce({ limits: { bytesPerDay: 100_000 } });
    let whole = false;
    answer = (_request, response) => {
      whole = true;
      response.end("{}");
    };
    await assert.rejects(post("x".repeat(200_000)));
    assert.equal(whole, false);
    assert.equal(codeOf(await post()), "byte-limit");
  });

  test("what was used stands in a file beside the record, without a secret", async () => {
    await inForce({ limits: { bytesPerDay: 1_000_000 } });
    assert.equal((await post("hello")).status, 200);
    const file = join(t.folder, "limits.json");
    const key = JSON.stringify(["basecamp", `grant-${count}`]);
    for (;;) {
      const { meters } = JSON.parse(readOr(file, '{"meters":{}}')) as { meters: object };
      if (Object.hasOwn(meters, key)) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(!t.everything().includes(t.secrets.get("model") ?? "?"));
  });

  test("a call that a rule asks about goes out after a yes, and not after a no", async () => {
    const ask = [{ method: "POST", path: "/v1/**" }];
    const name = await inForce({ rules: [], ask });
    for (const [verdict, status] of [
      ["allow", 200],
      ["deny", 403],
    ] as const) {
      const reply = post();
      await t.broker.receive({ type: "answer", id: await nextAsk(), verdict, scope: "once" });
      assert.equal((await reply).status, status);
    }
    assert.equal((await t.record((each) => each.grant === name)).rule, "POST /v1/**");
    assert.equal((await t.record((each) => each.code === "not-approved")).grant, name);
  });

  test("a denied GraphQL field never leaves, whatever hides it", async () => {
    const path = "/v1/messages";
    const body = { kind: "graphql", type: "*", name: "*", field: "delete*" } as const;
    await inForce({ deny: [{ method: "POST", path, body }] });
    assert.equal((await post({ query: "{ viewer }" })).status, 200);
    for (const query of [
      "mutation { deleteRepo }",
      "mutation { viewer: deleteRepo }",
      "# {\nmutation { ...F } fragment F on Mutation { deleteRepo }",
    ])
      assert.equal(codeOf(await post({ query })), "denied");
    assert.equal(codeOf(await post("{")), "denied");
    assert.equal(codeOf(await post([{ query: "{ a }" }, { query: "{ deleteX }" }])), "denied");
  });

  test("a message's links are refused or asked about, its preview switched off", async () => {
    const content: ContentPlan = {
      messages: [
        {
          method: "POST",
          path: "/v1/messages",
          texts: ["/text"],
          previewOff: [{ pointer: "/preview", value: false }],
        },
      ],
      previews: "off",
      linkHosts: ["good.test"],
    };
    let sent = "";
    await inForce({ content });
    answer = (request, response, body) => {
      sent = body;
      assert.equal(request.headers["content-length"], String(Buffer.byteLength(body)));
      response.end("{}");
    };
    assert.equal((await post({ text: "see https://good.test/x" })).status, 200);
    assert.equal(sent, '{"text":"see https://good.test/x","preview":false}');
    const refused = await post({ text: "see https://evil.test/?secret" });
    assert.deepEqual([refused.status, codeOf(refused)], [403, "content-link"]);
    await inForce({ content: { ...content, otherLinks: "ask" } });
    const reply = post({ text: "see https://evil.test/?secret" });
    const id = await nextAsk();
    const asked = t.sent.flatMap((message) => (message.type === "ask" ? [message.ask] : [])).at(-1);
    assert.deepEqual([asked?.rule, asked?.detail], ["link", "evil.test"]);
    await t.broker.receive({ type: "answer", id, verdict: "allow", scope: "once" });
    assert.equal((await reply).status, 200);
  });

  test("a message with a real value in it doesn't leave, whosever and however it is written", async () => {
    const messages = [{ method: "POST", path: "/v1/messages", texts: ["/text"] }];
    const own = t.secrets.get("model") ?? "";
    const others = canary("real-");
    t.secrets.set("other", others);
    const other = {
      ...grant,
      name: "other",
      secret: "other",
      phantom: canary("sk-phantom-"),
      hosts: [{ name: "other.test", port: t.port, scheme: "https" as const, v4: t.nextAddress() }],
    };
    let reached = 0;
    const content: ContentPlan = { messages, previews: "unchanged" };
    await inForce({ content });
    const bots = t.bots.map((bot) => ({
      ...bot,
      grants: [{ ...grant, content, name: "talks" }, other],
    }));
    assert.deepEqual(await t.configure(t.config(bots)), { type: "configured" });
    answer = (_request, response) => {
      reached += 1;
      response.end("{}");
    };
    assert.equal((await post({ text: `hello ${grant.phantom}` })).status, 200);
    for (const text of [own, `${own}.`, Buffer.from(`so ${own}`).toString("base64"), others]) {
      const refused = await post({ text: `psst: ${text}` });
      assert.deepEqual([refused.status, codeOf(refused)], [403, "content-secret"]);
    }
    assert.equal(reached, 1);
    t.secrets.delete("other");
  });
});

function readOr(file: string, other: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return other;
  }
}
