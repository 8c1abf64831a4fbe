import assert from "node:assert/strict";
import dgram from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { TestServers } from "../testing/TestServers.ts";
import type { Names } from "./answer.ts";
import { serveDnsOverTcp, serveDnsOverUdp } from "./serveDns.ts";

const NAMES: Names = new Map([
  ["api.example.test", { v4: "198.18.0.7", v6: "2001:db8::7" }],
  ["v4.example.test", { v4: "198.18.0.8" }],
]);

/** A question for A of `api.example.test`. */
const QUESTION = Buffer.concat([
  Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
  Buffer.from("\u0003api\u0007example\u0004test\0", "latin1"),
  Buffer.from([0, 1, 0, 1]),
]);

function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from([message.length >> 8, message.length & 0xff]), message]);
}

describe("the names, by real sockets", () => {
  const servers = new TestServers();
  const ungranted: string[] = [];
  const room = { names: () => NAMES, ungranted: (name: string) => ungranted.push(name) };
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  let port: number;
  before(async () => {
    const udp = dgram.createSocket("udp4");
    serveDnsOverUdp(udp, room);
    udp.bind(0, "127.0.0.1");
    await once(udp, "listening");
    servers.onEnd(() => udp.close());
    ({ port } = udp.address());
    const tcp = net.createServer({ allowHalfOpen: true }, (socket) => {
      serveDnsOverTcp(socket, room, 200);
    });
    await servers.serve(tcp, "127.0.0.1", port);
    resolver.setServers([`127.0.0.1:${port}`]);
  });
  after(() => servers.end());

  test("a resolver finds a granted name, of either family and in any case", async () => {
    assert.deepEqual(await resolver.resolve4("api.example.test"), ["198.18.0.7"]);
    assert.deepEqual(await resolver.resolve6("API.example.test"), ["2001:db8::7"]);
    assert.deepEqual(await resolver.resolve4("api.example.test", { ttl: true }), [
      { address: "198.18.0.7", ttl: 300 },
    ]);
  });

  test("a resolver is told at once of what there isn't", async () => {
    await assert.rejects(resolver.resolve6("v4.example.test"), { code: "ENODATA" });
    await assert.rejects(resolver.resolveTxt("api.example.test"), { code: "ENODATA" });
    await assert.rejects(resolver.resolve4("example.test"), { code: "ENODATA" });
    await assert.rejects(resolver.resolve4("secret.evil.test"), { code: "ENOTFOUND" });
    await assert.rejects(resolver.reverse("198.18.0.7"), { code: "ENOTFOUND" });
    await assert.rejects(resolver.resolveAny("api.example.test"), { code: "EREFUSED" });
    assert.deepEqual(ungranted, ["example.test", "secret.evil.test", "7.0.18.198.in-addr.arpa"]);
  });

  /** All a TCP connection gives for these bytes. */
  async function overTcp(...writes: readonly Buffer[]): Promise<Buffer> {
    const socket = net.connect(port, "127.0.0.1");
    const got = everything(socket);
    for (const bytes of writes) {
      socket.write(bytes);
      await new Promise((done) => setImmediate(done));
    }
    socket.end();
    return got;
  }
  function everything(socket: Socket): Promise<Buffer> {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => undefined);
    return new Promise((done) => {
      socket.once("close", () => {
        done(Buffer.concat(chunks));
      });
    });
  }

  test("serveDnsOverTcp() answers several questions of one connection, however they are cut", async () => {
    const one = framed(QUESTION);
    const answer = await overTcp(one);
    assert.equal(answer.readUInt16BE(0), answer.length - 2);
    assert.deepEqual([...answer.subarray(-4)], [198, 18, 0, 7]);
    const three = await overTcp(Buffer.concat([one, one, one]));
    assert.equal(three.length, 3 * answer.length);
    const bytes = [...one].map((byte) => Buffer.from([byte]));
    assert.deepEqual(await overTcp(...bytes), answer);
  });

  test("serveDnsOverTcp() cuts what is no question", async () => {
    for (const wrong of [
      Buffer.from([0, 0]),
      Buffer.from([0, 5, 1, 2, 3, 4, 5]),
      Buffer.from([255, 255, 0]),
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      framed(Buffer.concat([QUESTION.subarray(0, 2), Buffer.from([0x81]), QUESTION.subarray(3)])),
    ])
      assert.equal((await overTcp(wrong, framed(QUESTION))).length, 0);
  });

  test("serveDnsOverTcp() cuts a connection that asks nothing, or too slowly", async () => {
    const silent = net.connect(port, "127.0.0.1");
    assert.equal((await everything(silent)).length, 0);
    const slow = net.connect(port, "127.0.0.1");
    const timer = setInterval(() => slow.write("\0"), 20);
    slow.write(Buffer.from([4, 0]));
    assert.equal((await everything(slow)).length, 0);
    clearInterval(timer);
  });

  test("serveDnsOverTcp() stops reading where answers aren't read", async () => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    const many = Buffer.concat(Array.from({ length: 2000 }, () => framed(QUESTION)));
    const most = 64 * 1024 * 1024;
    let sent = 0;
    const ask = (): void => {
      while (!socket.destroyed && sent < most && socket.write(many)) sent += many.length;
      if (sent < most) socket.once("drain", ask);
      else socket.destroy();
    };
    ask();
    await new Promise((done) => socket.once("close", done));
    assert.ok(sent < most, "all was taken");
  });

  test("serveDnsOverUdp() answers from the address it was asked at, and nothing to junk", async () => {
    const socket = dgram.createSocket("udp4");
    servers.onEnd(() => socket.close());
    const answers: Buffer[] = [];
    socket.on("message", (message, from) => {
      assert.equal(from.port, port);
      answers.push(message);
    });
    for (const junk of [Buffer.alloc(0), Buffer.alloc(11), Buffer.alloc(60_000, 255)])
      socket.send(junk, port, "127.0.0.1");
    socket.send(QUESTION, port, "127.0.0.1");
    while (answers.length === 0) await once(socket, "message");
    assert.equal(answers.length, 1);
    assert.equal(answers[0]?.readUInt16BE(0), 0x1234);
  });
});
