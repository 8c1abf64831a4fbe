import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Deployment, InjectBrokerGrant } from "../Deployment.ts";
import { modelGrant } from "../testing/grants.ts";
import { canary, TestBroker } from "../testing/TestBroker.ts";
import { KnownCalls, originKey, type KnownCall } from "./KnownCalls.ts";
import { QuickCall } from "./QuickCall.ts";

/** What the host does with a request of which all is there. */
type Act = (socket: Socket, request: string) => void;

const REPLY = (body: string, more = ""): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;

describe("a call whose head came before", () => {
  let t: TestBroker;
  let grant: InjectBrokerGrant;
  let stranger: InjectBrokerGrant;
  let host: { name: string; address: string };
  const secret = canary("sk-real-");
  const requests: string[] = [];
  const upstream = new Set<Socket>();
  let act: Act = (socket) => socket.write(REPLY("{}"));
  let quick = 0;
  // eslint-disable-next-line typescript/unbound-method -- called with its own `this` below
  const { start } = QuickCall.prototype;

  before(async () => {
    QuickCall.prototype.start = function counted(body) {
      quick += 1;
      start.call(this, body);
    };
    t = await TestBroker.start();
    t.secrets.set("model", secret).set("other", canary("sk-other-"));
    const { port } = await t.rawUpstream(["api.model.test"], (socket) => {
      upstream.add(socket);
      socket.once("close", () => upstream.delete(socket));
      let text = "";
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
        const end = text.indexOf("\r\n\r\n");
        const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
        if (end < 0 || text.length < end + 4 + length) return;
        requests.push(text);
        const request = text;
        text = "";
        act(socket, request);
      });
    });
    const dial = { host: "127.0.0.1", port, ca: t.upstreamAuthority.ca };
    host = { name: "api.model.test", address: t.nextAddress() };
    grant = modelGrant({ port: t.port, address: host.address, dial });
    await t.bot("basecamp", [grant]);
    stranger = modelGrant({ port: t.port, address: t.nextAddress(), dial });
    await t.bot("erdos", [stranger]);
    await configure([grant]);
  });
  after(async () => {
    QuickCall.prototype.start = start;
    await t.end();
  });
  const clients: Client[] = [];
  afterEach(() => {
    for (const client of clients.splice(0)) client.socket.destroy();
    act = (socket) => socket.write(REPLY("{}"));
  });

  async function configure(grants: readonly InjectBrokerGrant[]): Promise<void> {
    const [basecamp, other] = t.bots;
    assert.ok(basecamp !== undefined && other !== undefined);
    const answer = await t.configure(t.config([{ ...basecamp, grants }, other]));
    assert.deepEqual(answer, { type: "configured" });
  }

  class Client {
    readonly socket: Socket;
    #text = "";
    #woken: (() => void) | undefined;
    closed = false;

    constructor(socket: Socket) {
      this.socket = socket;
      clients.push(this);
      socket.on("data", (chunk: Buffer) => {
        this.#text += chunk.toString("latin1");
        this.#woken?.();
      });
      socket.on("close", () => {
        this.closed = true;
        this.#woken?.();
      });
    }

    /** What came, once it fits or the connection is closed. */
    async until(fits: (text: string) => boolean): Promise<string> {
      while (!fits(this.#text) && !this.closed)
        await new Promise<void>((resolve) => {
          this.#woken = resolve;
        });
      const text = this.#text;
      this.#text = "";
      return text;
    }

    async ask(bytes: string): Promise<string> {
      this.socket.write(bytes, "latin1");
      return this.until(isWhole);
    }
  }

  const connect = async (): Promise<Client> => new Client(await t.connect(host.address, host.name));
  const head = (more = "", method = "POST", path = "/v1/messages"): string =>
    `${method} ${path} HTTP/1.1\r\nHost: api.model.test:${t.port}\r\nx-api-key: ${grant.phantom}\r\n${more}`;
  const post = (body: string, more = ""): string =>
    `${head(more)}Content-Length: ${body.length}\r\n\r\n${body}`;
  const get = (path: string): string => `${head("", "GET", path)}\r\n`;
  /** Asks until the host has an idle connection and the head is known. */
  const learn = async (client: Client, bytes: string): Promise<void> => {
    await client.ask(bytes);
    await client.ask(bytes);
  };
  const quickly = async (asked: () => Promise<unknown>): Promise<number> => {
    const first = quick;
    await asked();
    return quick - first;
  };

  test("is made at once, with the secret in its place, another body and a record of its own", async () => {
    const client = await connect();
    await client.ask(post("{}", "X-One: 1\r\n"));
    const before = t.records().length;
    const bodies = ["{}", '{"a":"another length"}', "[1]"];
    assert.equal(
      await quickly(async () => {
        for (const body of bodies)
          assert.match(await client.ask(post(body, "X-One: 1\r\n")), / 200 OK\r\n/);
      }),
      3,
    );
    const sent = requests.slice(-3);
    for (const [index, body] of bodies.entries()) {
      assert.ok(sent[index]?.endsWith(`\r\n\r\n${body}`));
      assert.match(
        sent[index] ?? "",
        new RegExp(String.raw`\r\nContent-Length: ${body.length}\r\n`),
      );
      assert.ok(sent[index]?.includes(`\r\nx-api-key: ${secret}\r\n`));
      assert.ok(!sent[index]?.includes(grant.phantom));
    }
    await t.record(() => t.records().length >= before + 3);
    const records = t.records().slice(-3);
    const [usual] = t.records();
    for (const record of records) {
      assert.equal(record.outcome, "done");
      for (const name of [
        "bot",
        "kind",
        "host",
        "grant",
        "method",
        "path",
        "rule",
        "httpVersion",
      ] as const)
        assert.equal(record[name], usual?.[name]);
    }
    assert.equal(new Set(records.map(({ id }) => id)).size, 3);
    assert.deepEqual(
      records.map(({ bytesOut }) => bytesOut),
      bodies.map(({ length }) => length),
    );
  });

  test("goes the usual way where one letter of the head is another", async () => {
    const client = await connect();
    await learn(client, post("{}", "X-Two: 1\r\n"));
    assert.equal(await quickly(() => client.ask(post("{}", "X-Two: 2\r\n"))), 0);
    assert.match(requests.at(-1) ?? "", /X-Two: 2/);
  });

  test("has the secret taken out of its reply: head, body, whole or in pieces, compressed", async () => {
    const encoded = Buffer.from(`user:${secret}`).toString("base64");
    const acts: readonly [Act, number][] = [
      [
        (socket) =>
          socket.write(REPLY(`{"k":"${secret}","b":"${encoded}"}`, `X-Echo: ${secret}\r\n`)),
        1,
      ],
      [
        (socket) => {
          const half = secret.slice(0, 20);
          socket.write(
            `HTTP/1.1 200 ${secret}\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n${half}\r\n`,
            () => {
              const rest = `${secret.slice(20)}!`;
              socket.write(
                `${rest.length.toString(16)}\r\n${rest}\r\n0\r\nX-End: ${secret}\r\n\r\n`,
              );
            },
          );
        },
        1,
      ],
      [
        (socket) => {
          const body = gzipSync(`{"k":"${secret}"}`);
          socket.write(
            `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`,
          );
          socket.write(body);
        },
        1,
      ],
    ];
    const client = await connect();
    await learn(client, post("{}", "X-Three: 1\r\n"));
    for (const [does, expected] of acts) {
      act = does;
      let text = "";
      assert.equal(
        await quickly(async () => {
          text = await client.ask(post("{}", "X-Three: 1\r\n"));
        }),
        expected,
      );
      assert.match(text, /^HTTP\/1\.1 200 /);
      assert.ok(!text.includes(secret) && !text.includes(encoded));
      assert.ok(text.includes(grant.phantom));
    }
  });

  test("passes a stream on as it comes", async () => {
    const client = await connect();
    await learn(client, post("{}", "X-Four: 1\r\n"));
    let end: (() => void) | undefined;
    act = (socket) => {
      socket.write(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
      );
      socket.write("9\r\ndata: 1\n\n\r\n");
      end = () => socket.write("9\r\ndata: 2\n\n\r\n0\r\n\r\n");
    };
    client.socket.write(post("{}", "X-Four: 1\r\n"));
    const first = await client.until((text) => text.includes("data: 1"));
    assert.ok(!first.includes("data: 2"));
    end?.();
    assert.match(await client.until((text) => text.includes("\r\n0\r\n\r\n")), /data: 2/);
    act = (socket) => socket.write(REPLY("{}"));
    assert.match(await client.ask(post("{}", "X-Four: 1\r\n")), / 200 OK/);
  });

  test("HEAD, 204 and 304 have no body", async () => {
    const client = await connect();
    const asked = `${head("", "HEAD", "/v1/models/one")}\r\n`;
    const rules = [...grant.rules, { method: "HEAD", path: "/v1/models/**" }];
    await configure([{ ...grant, rules }]);
    act = (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
    const ends = (text: string): boolean => text.endsWith("\r\n\r\n");
    for (let turn = 0; turn < 3; turn += 1) {
      client.socket.write(asked);
      assert.match(await client.until(ends), /^HTTP\/1\.1 200 OK\r\n/);
    }
    for (const status of [204, 304]) {
      act = (socket) => socket.write(`HTTP/1.1 ${status} Nothing\r\n\r\n`);
      client.socket.write(asked);
      assert.match(await client.until(ends), new RegExp(`^HTTP/1.1 ${status} `));
    }
    await configure([grant]);
  });

  test("gets 502 for a reply that has two readings, and the connection is not used again", async () => {
    const client = await connect();
    await learn(client, post("{}", "X-Five: 1\r\n"));
    act = (socket) =>
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x");
    assert.equal(
      await quickly(async () => {
        assert.match(
          await client.ask(post("{}", "X-Five: 1\r\n")),
          /^HTTP\/1\.1 502 [^]*upstream-protocol/,
        );
      }),
      1,
    );
    act = (socket) =>
      socket.write(`${REPLY("{}")}HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npoisoned!`);
    await learn(client, post("{}", "X-Five: 1\r\n"));
    act = (socket) => socket.write(REPLY("{}"));
    for (let turn = 0; turn < 3; turn += 1)
      assert.ok(!(await client.ask(post("{}", "X-Five: 1\r\n"))).includes("poisoned"));
  });

  test("is cut where its reply is cut, and recorded so", async () => {
    const client = await connect();
    await learn(client, post("{}", "X-Six: 1\r\n"));
    act = (socket) =>
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal\n", () => socket.end());
    const text = await client.ask(post("{}", "X-Six: 1\r\n"));
    assert.ok(client.closed && !isWhole(text));
    const record = await t.record(
      (each) => each.outcome === "upstream-error" && each.status === 200 && each.bytesIn === 4,
    );
    assert.equal(record.code, "upstream-protocol");
  });

  test("is made once more where the host had closed the connection, if it is safe to", async () => {
    const client = await connect();
    const asked = get("/v1/models/seven");
    await learn(client, asked);
    let times = 0;
    act = (socket) => {
      times += 1;
      if (times < 2) socket.destroy();
      else socket.write(REPLY('"again"'));
    };
    const before = requests.length;
    assert.match(await client.ask(asked), / 200 OK[^]*again/);
    assert.equal(requests.length, before + 2);
    act = (socket) => socket.write(REPLY("{}"));
    await learn(client, post("{}", "X-Seven: 1\r\n"));
    act = (socket) => socket.destroy();
    const sent = requests.length;
    assert.match(
      await client.ask(post("{}", "X-Seven: 1\r\n")),
      /^HTTP\/1\.1 502 [^]*upstream-unreachable/,
    );
    assert.equal(requests.length, sent + 1);
  });

  test("ends towards the host when the bot goes away", async () => {
    const client = await connect();
    await learn(client, post("{}", "X-Eight: 1\r\n"));
    const asked = Promise.withResolvers<Socket>();
    act = (socket) => {
      asked.resolve(socket);
    };
    const before = t.records().length;
    client.socket.write(post("{}", "X-Eight: 1\r\n"));
    const socket = await asked.promise;
    const over = once(socket, "close");
    client.socket.destroy();
    await over;
    await t.record(() => t.records().length > before);
    assert.equal(t.records().at(-1)?.outcome, "client-abort");
  });

  test("makes a connection where none is idle, and gives it up with the bot", async () => {
    const client = await connect();
    await learn(client, post("{}", "X-Dial: 1\r\n"));
    const held: Socket[] = [];
    const full = Promise.withResolvers<undefined>();
    act = (socket) => {
      held.push(socket);
      if (held.length === 3) full.resolve(undefined);
    };
    const three = [await connect(), await connect(), await connect()];
    assert.equal(
      await quickly(async () => {
        for (const each of three) each.socket.write(post("{}", "X-Dial: 1\r\n"));
        await full.promise;
      }),
      3,
    );
    for (const socket of held) socket.write(REPLY("{}"));
    for (const each of three) assert.match(await each.until(isWhole), / 200 OK/);
    // The host accepts no more, so all idle connections go and none can be made.
    const before = t.records().length;
    await configure([{ ...grant, dial: { ...grant.dial, port: 1 } }]);
    for (let turn = 0; turn < 3; turn += 1)
      assert.match(await client.ask(post("{}", "X-Dial: 1\r\n")), /^HTTP\/1\.1 502 /);
    await configure([grant]);
    await t.record(() => t.records().length >= before + 3);
    for (const record of t.records().slice(-3))
      assert.deepEqual([record.outcome, record.code], ["upstream-error", "upstream-unreachable"]);
  });

  test("is ended by limits that its own body goes beyond", async () => {
    await configure([{ ...grant, limits: { bytesPerDay: 100 } }]);
    const client = await connect();
    await client.ask(post("{}", "X-Bytes: 1\r\n"));
    const text = await client.ask(post(`"${"x".repeat(200)}"`, "X-Bytes: 1\r\n"));
    assert.ok(client.closed && text === "");
    const record = await t.record((each) => each.code === "byte-limit");
    assert.deepEqual([record.outcome, record.bytesOut], ["refused", 202]);
    await configure([grant]);
  });

  test("has the new value of a secret from the next call on", async () => {
    const client = await connect();
    await learn(client, post("{}", "X-Nine: 1\r\n"));
    const next = canary("sk-real-");
    t.secrets.set("model", next);
    act = (socket) => socket.write(REPLY(`"${next}"`));
    try {
      for (let turn = 0; turn < 3; turn += 1) {
        const text = await client.ask(post("{}", "X-Nine: 1\r\n"));
        assert.ok(requests.at(-1)?.includes(next));
        assert.ok(!text.includes(next) && text.includes(grant.phantom));
      }
      // The service may still say the old one: right after, by the next configuration, in a stream.
      await configure([grant]);
      act = (socket) => socket.write(REPLY(`{"old":"${secret}","new":"${next}"}`));
      for (let turn = 0; turn < 3; turn += 1) {
        const text = await client.ask(post("{}", "X-Nine: 1\r\n"));
        assert.ok(!text.includes(next) && !text.includes(secret));
        assert.equal(text.split(grant.phantom).length, 3);
      }
    } finally {
      t.secrets.set("model", secret);
    }
  });

  test("is refused once its grant doesn't allow it, and cut while it runs", async () => {
    const client = await connect();
    const streaming = await connect();
    await learn(client, post("{}", "X-Ten: 1\r\n"));
    act = (socket) =>
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nx\n\r\n");
    assert.equal(
      await quickly(async () => {
        streaming.socket.write(post("{}", "X-Ten: 1\r\n"));
        await streaming.until((text) => text.includes("2\r\nx\n\r\n"));
      }),
      1,
    );
    await configure([{ ...grant, rules: [{ method: "GET", path: "/v1/models/**" }] }]);
    await streaming.until(() => false);
    const record = await t.record((each) => each.code === "grant-withdrawn");
    assert.deepEqual([record.outcome, record.status], ["refused", 200]);
    const before = requests.length;
    assert.match(await client.ask(post("{}", "X-Ten: 1\r\n")), /^HTTP\/1\.1 403 [^]*not-allowed/);
    assert.equal(requests.length, before);
    await configure([grant]);
  });

  test("counts for the limits, and is refused beyond them", async () => {
    await configure([{ ...grant, limits: { callsPerMinute: 3 } }]);
    const client = await connect();
    const answers: string[] = [];
    for (let turn = 0; turn < 5; turn += 1)
      answers.push((await client.ask(post("{}", "X-Eleven: 1\r\n"))).slice(9, 12));
    assert.deepEqual(answers, ["200", "200", "200", "429", "429"]);
    await configure([{ ...grant, limits: { concurrentCalls: 1 } }]);
    for (let turn = 0; turn < 4; turn += 1)
      assert.match(await client.ask(post("{}", "X-Eleven: 1\r\n")), / 200 /);
    await configure([grant]);
  });

  test("is looked through for other bots' phantoms", async () => {
    const client = await connect();
    await learn(client, post("{}", "X-Twelve: 1\r\n"));
    const body = `{"k":"${stranger.phantom}"}`;
    assert.equal(await quickly(() => client.ask(post(body, "X-Twelve: 1\r\n"))), 0);
    await t.record((each) => each.code === "foreign-phantom-in-body");
  });

  test("no other bytes are taken for it: each attempt goes the usual way, to the same end", async () => {
    const learnt = post("{}", "X-Thirteen: 1\r\n");
    const before = "X-Thirteen: 1\r\n";
    const smuggled = `GET /v1/models/smuggled HTTP/1.1\r\nHost: api.model.test:${t.port}\r\nx-api-key: ${grant.phantom}\r\n\r\n`;
    const attempts: readonly [string, string, RegExp][] = [
      [
        "a second length",
        `${head(before)}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`,
        /^HTTP\/1\.1 400 /,
      ],
      [
        "a second length, other",
        `${head(before)}Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}`,
        /^HTTP\/1\.1 400 /,
      ],
      ["an empty length", `${head(before)}Content-Length: \r\n\r\n{}`, /^HTTP\/1\.1 400 /],
      ["a signed length", `${head(before)}Content-Length: +2\r\n\r\n{}`, /^HTTP\/1\.1 400 /],
      ["a list of lengths", `${head(before)}Content-Length: 2, 2\r\n\r\n{}`, /^HTTP\/1\.1 400 /],
      [
        "chunks beside",
        `${head(before)}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
        /^HTTP\/1\.1 400 /,
      ],
      [
        "the digits elsewhere",
        `${head("X-Thirteen: 12\r\n")}Content-Length: \r\n\r\n{}`,
        /^HTTP\/1\.1 400 /,
      ],
      ["a sign before the request", `=${learnt}`, /^HTTP\/1\.1 400 /],
      ["the key itself", `=${head(before)}Content-Length: \r\n\r\n{}`, /^HTTP\/1\.1 400 /],
      ["a bare line feed", learnt.replace("\r\nX-Thirteen", "\nX-Thirteen"), /^HTTP\/1\.1 400 /],
      ["an old version", learnt.replace("HTTP/1.1", "HTTP/1.0"), /^HTTP\/1\.1 400 /],
      ["another Host", learnt.replace("api.model.test", "api.madel.test"), /^HTTP\/1\.1 421 /],
      ["no phantom", learnt.replace(grant.phantom, canary("sk-phantom-")), /^HTTP\/1\.1 403 /],
    ];
    for (const [name, bytes, expected] of attempts) {
      const client = await connect();
      await learn(client, learnt);
      const sent = requests.length;
      assert.equal(
        await quickly(async () => {
          assert.match(await client.ask(bytes), expected, name);
        }),
        0,
        name,
      );
      assert.equal(requests.length, sent, name);
    }
    // Bytes behind the body are the next request, whatever they look like.
    const client = await connect();
    await learn(client, learnt);
    const [sent, first] = [requests.length, quick];
    client.socket.write(`${learnt}${smuggled}`);
    await client.until((text) => text.split("HTTP/1.1 200").length === 3);
    assert.equal(quick, first);
    assert.deepEqual(
      requests.slice(sent).map((request) => request.split(" ", 2).join(" ")),
      ["POST /v1/messages", "GET /v1/models/smuggled"],
    );
    // A length shorter than what follows: the rest is a request of its own, and none at all.
    const short = await connect();
    await learn(short, learnt);
    short.socket.write(`${learnt}{"x":1}`);
    assert.match(await short.until((text) => text.includes(" 400 ")), / 200 OK[^]* 400 /);
    // A body of which the end is still to come.
    const late = await connect();
    await learn(late, learnt);
    late.socket.write(learnt.slice(0, -1));
    late.socket.write("}");
    assert.match(await late.until(isWhole), / 200 OK/);
  });

  test("an unasked switch of protocols is no reply", async () => {
    const client = await connect();
    await learn(client, post("{}", "X-Fourteen: 1\r\n"));
    act = (socket) => socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nbytes");
    assert.match(await client.ask(post("{}", "X-Fourteen: 1\r\n")), /^HTTP\/1\.1 502 /);
  });

  test("is known only from its own place, and until there is another configuration", () => {
    const known = new KnownCalls();
    const origin = { bot: "basecamp", address: "10.0.0.1", port: 443, tls: undefined };
    const call = {} as KnownCall;
    const [one, two] = [{} as Deployment, {} as Deployment];
    known.learn(one, originKey(origin), "=key", call);
    assert.equal(known.find(one, originKey(origin), "=key"), call);
    for (const other of [
      { ...origin, bot: "erdos" },
      { ...origin, address: "10.0.0.2" },
      { ...origin, port: 444 },
      { ...origin, tls: { serverName: undefined } },
      { ...origin, tls: { serverName: "api.model.test" } },
    ])
      assert.equal(known.find(one, originKey(other), "=key"), undefined);
    assert.equal(known.find(two, originKey(origin), "=key"), undefined);
    known.learn(two, originKey(origin), "=other", call);
    assert.equal(known.find(two, originKey(origin), "=key"), undefined);
    assert.equal(known.find(one, originKey(origin), "=key"), undefined);
  });

  test("nothing of the secret is in the record", () => {
    assert.ok(!t.everything().includes(secret));
    assert.ok(!t.everything().includes(grant.phantom));
  });
});

/** Whether an answer is there to its end. */
function isWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /content-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  return length === undefined
    ? text.includes("\r\n0\r\n") && text.endsWith("\r\n\r\n")
    : text.length >= end + 4 + Number(length);
}
