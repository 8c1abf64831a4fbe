import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import type { BrokerGrant } from "../BrokerConfig.ts";
import { collect, TestBroker } from "../testing/TestBroker.ts";
import { TestServers } from "../testing/TestServers.ts";

describe("tcp grants", () => {
  let t: TestBroker;
  const servers = new TestServers();
  /** What the server behind each host does; set by each test. */
  const acts = new Map<string, (socket: Socket) => void>();
  const addresses = new Map<string, string>();
  const NAMES = ["mail", "echo", "flood", "reset", "halves", "slow", "gone", "cut"];
  const grants: BrokerGrant[] = [];
  before(async () => {
    t = await TestBroker.start();
    for (const name of NAMES) {
      const server = net.createServer({ allowHalfOpen: true }, (socket) =>
        acts.get(name)?.(socket),
      );
      const { port } = await servers.serve(server);
      const address = t.nextAddress();
      addresses.set(name, address);
      const host = { name: `${name}.test`, port: t.port, scheme: "tcp" as const, v4: address };
      const dial = { host: "127.0.0.1", port: name === "gone" ? 1 : port };
      grants.push({ kind: "tcp", name, hosts: [host], dial });
    }
    await t.bot("basecamp", grants);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });
  after(async () => {
    await t.end();
    await servers.end();
  });

  function connect(name: string): Socket {
    const socket = net.connect({ host: addresses.get(name), port: t.port, allowHalfOpen: true });
    socket.on("error", () => undefined);
    servers.onEnd(() => socket.destroy());
    return socket;
  }
  /** The server's end of the next connection. */
  function arriving(name: string): Promise<Socket> {
    return new Promise((done) => {
      acts.set(name, done);
    });
  }

  test("acceptConnection() passes TCP through without a byte of the bot's, by address alone", async () => {
    acts.set("mail", (socket) => socket.end("220 mail.test ready\r\n"));
    assert.equal(await collect(connect("mail")), "220 mail.test ready\r\n");
    const record = await t.record((each) => each.grant === "mail");
    const { kind, decision, outcome, host, bytesIn, bytesOut } = record;
    assert.deepEqual(
      { kind, decision, outcome, host, bytesIn, bytesOut },
      {
        kind: "tunnel",
        decision: "allow",
        outcome: "done",
        host: `mail.test:${t.port}`,
        bytesIn: 21,
        bytesOut: 0,
      },
    );
  });

  test("openTunnel() changes no byte, whatever they look like", async () => {
    acts.set("echo", (socket) => socket.pipe(socket));
    const bytes = Buffer.concat([
      Buffer.from("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n"),
      Buffer.from([22, 3, 1, 0, 4, 0, 255]),
      Buffer.alloc(300_000, "\u{1F40B}"),
    ]);
    const socket = connect("echo");
    const got = collect(socket);
    socket.end(bytes);
    assert.equal(await got, bytes.toString("latin1"));
    const record = await t.record((each) => each.grant === "echo");
    assert.deepEqual([record.bytesIn, record.bytesOut], [bytes.length, bytes.length]);
  });

  test("openTunnel() closes each half on its own", async () => {
    const arrived = arriving("halves");
    const socket = connect("halves");
    const server = await arrived;
    socket.end("question");
    const [question] = (await once(server, "data")) as [Buffer];
    assert.equal(question.toString(), "question");
    await once(server, "end");
    server.write("answer ");
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.equal(answer.toString(), "answer ");
    server.end("end");
    assert.equal(await collect(socket), "end");

    const again = arriving("halves");
    const second = connect("halves");
    const other = await again;
    other.end("bye");
    assert.equal((await once(second, "data")).toString(), "bye");
    await once(second, "end");
    second.write("still here");
    assert.equal((await once(other, "data")).toString(), "still here");
    second.end();
    await once(other, "end");
    await t.record((each) => each.grant === "halves" && each.bytesOut === 10);
    assert.ok(t.records().every((each) => each.grant !== "halves" || each.outcome === "done"));
  });

  test("openTunnel() passes a reset on as a reset, both ways", async () => {
    acts.set("reset", (socket) => {
      socket.once("data", () => socket.resetAndDestroy());
    });
    const socket = connect("reset");
    const failed = new Promise<NodeJS.ErrnoException>((done) => socket.once("error", done));
    socket.write("x");
    assert.equal((await failed).code, "ECONNRESET");
    const record = await t.record((each) => each.grant === "reset");
    assert.deepEqual([record.outcome, record.code], ["upstream-error", "upstream-unreachable"]);

    const arrived = arriving("reset");
    const second = connect("reset");
    second.write("x");
    const server = await arrived;
    await once(server, "data");
    const other = new Promise<NodeJS.ErrnoException>((done) => server.once("error", done));
    second.resetAndDestroy();
    assert.equal((await other).code, "ECONNRESET");
    await t.record((each) => each.grant === "reset" && each.outcome === "client-abort");
  });

  test("openTunnel() lets a slow reader slow the writer, both ways", async () => {
    const most = 64 * 1024 * 1024;
    /** Writes until nothing more is taken; gives how much was. */
    const fill = async (socket: Socket): Promise<number> => {
      const chunk = Buffer.alloc(65_536);
      let written = 0;
      for (; written < most; written += chunk.length) {
        if (socket.write(chunk)) continue;
        const drained = await Promise.race([
          once(socket, "drain"),
          new Promise<undefined>((done) => setTimeout(() => done(undefined), 300)),
        ]);
        if (drained === undefined) break;
      }
      return written;
    };
    for (const side of ["bot", "upstream"]) {
      const arrived = arriving("slow");
      const socket = connect("slow");
      const server = await arrived;
      const [writer, reader] = side === "bot" ? [socket, server] : [server, socket];
      const written = await fill(writer);
      assert.ok(written < most, "somebody kept it all");
      let read = 0;
      reader.on("data", (chunk: Buffer) => {
        read += chunk.length;
      });
      writer.end();
      reader.end();
      await once(reader, "end");
      assert.ok(read >= written);
    }
  });

  test("openTunnel() resets a connection whose host can't be reached, and records it", async () => {
    const socket = connect("gone");
    const failed = new Promise<NodeJS.ErrnoException>((done) => socket.once("error", done));
    assert.equal((await failed).code, "ECONNRESET");
    const record = await t.record((each) => each.grant === "gone");
    assert.deepEqual([record.outcome, record.code], ["upstream-error", "upstream-unreachable"]);
  });

  test("Listeners.drop() cuts what is passed through", async () => {
    const arrived = arriving("cut");
    const socket = connect("cut");
    const server = await arrived;
    server.write("x");
    await once(socket, "data");
    const closed = new Promise((done) => server.once("close", done));
    server.resume();
    await t.broker.receive({ type: "drop", bot: "basecamp" });
    await closed;
    const record = await t.record((each) => each.grant === "cut");
    assert.equal(record.bytesIn, 1);
  });
});

describe("compileDeployment()", () => {
  /** Whether a bot may have these grants, each at an address. */
  async function accepted(...grants: BrokerGrant[]): Promise<string> {
    const t = await TestBroker.start();
    try {
      await t.bot("basecamp", grants);
      return (await t.configure())?.type ?? "";
    } finally {
      await t.end();
    }
  }
  function tcp(name: string, v4: string, port = 993, scheme: "tcp" | "https" = "tcp"): BrokerGrant {
    return { kind: "tcp", name, hosts: [{ name: `${name}.test`, port, scheme, v4 }] };
  }
  function tunnel(name: string, v4: string, scheme: "tcp" | "https" = "https"): BrokerGrant {
    return { kind: "tunnel", name, hosts: [{ name: `${name}.test`, port: 993, scheme, v4 }] };
  }

  test("accepts TCP hosts at addresses and ports of their own", async () => {
    assert.equal(await accepted(tcp("a", "198.18.0.1"), tcp("b", "198.18.0.2")), "configured");
    assert.equal(await accepted(tcp("a", "198.18.0.1"), tcp("b", "198.18.0.1", 25)), "configured");
  });

  test("refuses a TCP host that shares its address and port, in either order", async () => {
    const [a, b] = [tcp("a", "198.18.0.1"), tcp("b", "198.18.0.1")];
    assert.equal(await accepted(a, b), "refused");
    assert.equal(await accepted(a, tunnel("c", "198.18.0.1")), "refused");
    assert.equal(await accepted(tunnel("c", "198.18.0.1"), a), "refused");
    assert.equal(await accepted(tunnel("c", "198.18.0.2"), a), "configured");
  });

  test("refuses a TCP host by another scheme, and another grant's host by TCP", async () => {
    assert.equal(await accepted(tcp("a", "198.18.0.1", 993, "https")), "refused");
    assert.equal(await accepted(tunnel("a", "198.18.0.1", "tcp")), "refused");
  });

  test("refuses a host at the port of the names", async () => {
    assert.equal(await accepted(tcp("a", "198.18.0.1", 53)), "refused");
  });
});
