import assert from "node:assert/strict";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { catalogueBots } from "../testing/catalogueBots.ts";
import { TestBroker } from "../testing/TestBroker.ts";
import { TestCommands } from "../testing/TestCommands.ts";
import { temporaryFolder } from "../../../test/support/temporaryFolder.ts";
import { Bridge } from "./Bridge.ts";

interface Received {
  readonly messages: readonly {
    readonly id: string;
    readonly from: string;
    readonly text: string;
  }[];
  readonly more: boolean;
}

describe("the bridge, through client commands", () => {
  let t: TestBroker;
  const bots = new Map<string, TestCommands>();

  before(async () => {
    t = await TestBroker.start();
    const { grants } = catalogueBots(
      {
        bots: {
          basecamp: { bridge: { to: ["erdos", "hermit"] } },
          erdos: { bridge: { to: ["basecamp"], limits: { callsPerMinute: 1000 } } },
          hermit: { bridge: { from: ["erdos"] } },
        },
      },
      () => undefined,
    );
    for (const [name, each] of grants) await t.bot(name, each);
    assert.deepEqual(await t.configure(), { type: "configured" });
    for (const name of grants.keys()) bots.set(name, await TestCommands.open(t, name));
  });
  after(() => t.end());

  async function use(
    bot: string,
    ...args: string[]
  ): Promise<{ code: number | undefined; value: unknown; err: string }> {
    const end = await bots.get(bot)?.use("bridge", args);
    assert.ok(end);
    const out = end.out.toString();
    return { code: end.code, value: out === "" ? undefined : JSON.parse(out), err: end.err };
  }

  test("a message comes to whom it is for, with who sent it, until it is acknowledged", async () => {
    const sent = await use("basecamp", "send", "to=erdos", "text=The tide is in.");
    assert.equal(sent.code, 0);
    for (const _time of ["once", "again"]) {
      const { value } = await use("erdos", "receive");
      assert.deepEqual(
        (value as Received).messages.map(({ from, text }) => [from, text]),
        [["basecamp", "The tide is in."]],
      );
    }
    const { id } = sent.value as { id: string };
    // Nobody else can read it, or let go of it.
    assert.deepEqual(((await use("hermit", "receive")).value as Received).messages, []);
    assert.deepEqual((await use("hermit", "acknowledge", `ids=["${id}"]`)).value, {
      acknowledged: 0,
    });
    assert.deepEqual((await use("erdos", "acknowledge", `ids=["${id}"]`)).value, {
      acknowledged: 1,
    });
    assert.deepEqual(((await use("erdos", "receive")).value as Received).messages, []);
  });

  test("who may write to whom is in the grants, and a refusal names which", async () => {
    const other = await use("erdos", "send", "to=hermit", "text=x");
    assert.equal(other.code, 3);
    assert.match(other.err, /"rule":"to: basecamp"/);
    const untaken = await use("basecamp", "send", "to=hermit", "text=x");
    assert.equal(untaken.code, 3);
    assert.match(untaken.err, /"rule":"from, in the grant/);
    assert.equal((await use("basecamp", "send", "to=basecamp", "text=x")).code, 3);
    assert.deepEqual((await use("basecamp", "status")).value, {
      bot: "basecamp",
      mayWriteTo: ["erdos"],
      waiting: 0,
    });
  });

  test("a sender can't say that it is another", async () => {
    const end = await use("basecamp", "send", '{"to":"erdos","text":"x","from":"hermit"}');
    assert.equal(end.code, 2);
    assert.match(end.err, /no input \\"from\\"/);
  });

  test("the same key is one message", async () => {
    const one = await use("basecamp", "send", "to=erdos", "text=once", "key=k1");
    const two = await use("basecamp", "send", "to=erdos", "text=once", "key=k1");
    assert.deepEqual(one.value, two.value);
    const { value } = await use("erdos", "receive");
    const { messages } = value as Received;
    assert.equal(messages.length, 1);
    await use("erdos", "acknowledge", JSON.stringify({ ids: messages.map(({ id }) => id) }));
  });

  test("who waits is told as soon as something comes", async () => {
    const waiting = use("erdos", "receive", "wait=60");
    await use("basecamp", "send", "to=erdos", "text=now");
    const { messages } = (await waiting).value as Received;
    assert.equal(messages[0]?.text, "now");
    await use("erdos", "acknowledge", JSON.stringify({ ids: messages.map(({ id }) => id) }));
  });

  test("a message is bounded, and holds no bot's token", async () => {
    const long = await use("basecamp", "send", "to=erdos", `text=${"ä".repeat(40_000)}`);
    assert.equal(long.code, 2);
    assert.match(long.err, /at most 65536 bytes/);
  });

  test("each use leaves one record, without the text", async () => {
    await use("basecamp", "send", "to=erdos", "text=a-word-that-is-nowhere-else");
    const record = await t.record((each) => each.kind === "command" && each.method === "send");
    assert.equal(record.bot, "basecamp");
    const text = readFileSync(join(t.folder, "audit.jsonl"), "utf8");
    assert.ok(!text.includes("a-word-that-is-nowhere-else"));
  });
});

describe("Bridge", () => {
  function clock(): { now: () => number; pass: (ms: number) => void } {
    let at = Date.parse("2026-03-01T00:00:00Z");
    return {
      now: () => at,
      pass: (ms) => {
        at += ms;
      },
    };
  }

  test("keeps what waits over a restart, and a line that a crash cut short loses nothing else", async (context) => {
    const file = join(temporaryFolder(context), "bridge.jsonl");
    const one = new Bridge(() => undefined);
    one.open(file);
    const kept = await one.send({ from: "a", to: "b", text: "kept" });
    const gone = await one.send({ from: "a", to: "b", text: "dealt with" });
    assert.ok("id" in gone && "id" in kept);
    assert.equal(await one.acknowledge("b", [gone.id]), 1);
    // As a broker that is killed leaves it: no close.
    appendFileSync(file, '{"event":"sent","id":"half');
    const two = new Bridge(() => undefined);
    two.open(file);
    assert.deepEqual(
      (await two.receive("b", 10)).map(({ id, text }) => [id, text]),
      [[kept.id, "kept"]],
    );
    one.close();
    two.close();
  });

  test("warns of damage and goes on with the rest", async (context) => {
    const file = join(temporaryFolder(context), "bridge.jsonl");
    const one = new Bridge(() => undefined);
    one.open(file);
    await one.send({ from: "a", to: "b", text: "x" });
    appendFileSync(file, "not json\n");
    one.close();
    const warnings: (string | undefined)[] = [];
    const two = new Bridge((warning) => warnings.push(warning));
    two.open(file);
    assert.equal(two.waiting("b"), 1);
    assert.match(warnings[0] ?? "", /^1 messages .* damaged/);
    two.close();
  });

  test("takes nothing that it can't keep", async (context) => {
    const bridge = new Bridge(() => undefined);
    bridge.open(join(temporaryFolder(context), "no", "such", "folder", "bridge.jsonl"));
    assert.deepEqual(await bridge.send({ from: "a", to: "b", text: "x" }), {
      refused: "unwritable",
    });
    assert.equal(bridge.waiting("b"), 0);
    bridge.close();
  });

  test("ends two bots that answer each other, and three in a ring, until one is quiet", async (context) => {
    for (const ring of [
      ["a", "b"],
      ["a", "b", "c"],
    ]) {
      const time = clock();
      const bridge = new Bridge(() => undefined, time);
      bridge.open(join(temporaryFolder(context), "bridge.jsonl"));
      let turns = 0;
      for (; turns < 100; turns += 1) {
        const from = ring[turns % ring.length] ?? "";
        const to = ring[(turns + 1) % ring.length] ?? "";
        if ("refused" in (await bridge.send({ from, to, text: "and you?" }))) break;
        const [message] = await bridge.receive(to, 1);
        await bridge.acknowledge(to, [message?.id ?? ""]);
        time.pass(20_000);
      }
      assert.equal(turns, 16);
      // Whom it is said to makes no difference; time does.
      const stuck = ring[turns % ring.length] ?? "";
      assert.deepEqual(await bridge.send({ from: stuck, to: "d", text: "x" }), { refused: "loop" });
      time.pass(11 * 60_000);
      assert.ok("id" in (await bridge.send({ from: stuck, to: "d", text: "x" })));
      bridge.close();
    }
  });

  test("takes no more from one sender in a minute, and no more for one recipient, than fits", async (context) => {
    const time = clock();
    const bridge = new Bridge(() => undefined, time);
    bridge.open(join(temporaryFolder(context), "bridge.jsonl"));
    const results = await Promise.all(
      Array.from({ length: 40 }, () => bridge.send({ from: "a", to: "b", text: "x" })),
    );
    assert.equal(results.filter((each) => "id" in each).length, 30);
    const big = "y".repeat(64 * 1024);
    let full = false;
    for (let sender = 0; sender < 10 && !full; sender += 1)
      for (let count = 0; count < 30 && !full; count += 1) {
        const end = await bridge.send({ from: `s${sender}`, to: "b", text: big });
        full = "refused" in end && end.refused === "queue-full";
      }
    assert.ok(full);
    assert.ok("id" in (await bridge.send({ from: "other", to: "c", text: "x" })));
    bridge.close();
  });
});
