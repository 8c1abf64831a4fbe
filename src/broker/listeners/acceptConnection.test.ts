import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import type tls from "node:tls";
import { realHello, withExtension } from "../testing/clientHello.ts";
import { chatGrant, modelGrant, tunnelGrant } from "../testing/grants.ts";
import { canary, collect, TestBroker } from "../testing/TestBroker.ts";

describe("acceptConnection()", () => {
  let t: TestBroker;
  let model: ReturnType<typeof modelGrant>;
  const modelHost = { name: "api.model.test", address: "" };
  const chatHost = { name: "api.chat.test", address: "" };
  const tunnelHost = { name: "www.tunnel.test", address: "" };
  let connections: () => number;

  before(async () => {
    t = await TestBroker.start();
    t.secrets.set("model", canary("sk-real-")).set("chat", `87654321:${canary("")}`);
    const names = ["api.model.test", "api.chat.test", "www.tunnel.test"];
    const upstream = await t.upstream(names, (_request, response) => response.end("ok"));
    ({ connections } = upstream);
    const dial = { host: "127.0.0.1", port: upstream.port, ca: t.upstreamAuthority.ca };
    for (const host of [modelHost, chatHost, tunnelHost]) host.address = t.nextAddress();
    model = modelGrant({ port: t.port, address: modelHost.address, dial });
    await t.bot("basecamp", [
      model,
      chatGrant({ port: t.port, address: chatHost.address, dial }),
      tunnelGrant({ port: t.port, address: tunnelHost.address, dial }),
    ]);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });
  after(() => t.end());

  /** One call over a connection that is there. */
  function call(socket: tls.TLSSocket): Promise<string> {
    const got = collect(socket);
    socket.write(
      `GET /v1/models/x HTTP/1.1\r\nHost: api.model.test:${t.port}\r\n` +
        `x-api-key: ${model.phantom}\r\nConnection: close\r\n\r\n`,
    );
    return got;
  }

  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    test(`serves calls over a session resumed by ${maxVersion}, at its own host only`, async () => {
      const first = await t.connect(modelHost.address, modelHost.name, { maxVersion });
      let session: Buffer | undefined = first.getSession();
      first.on("session", (made) => {
        session = made;
      });
      assert.match(await call(first), /^HTTP\/1\.1 200 /);
      assert.ok(session !== undefined);
      const again = await t.connect(modelHost.address, modelHost.name, { maxVersion, session });
      assert.equal(again.isSessionReused(), true);
      assert.match(await call(again), /^HTTP\/1\.1 200 /);

      const other = await t.connect(chatHost.address, chatHost.name, { maxVersion, session });
      assert.equal(other.isSessionReused(), false);
      assert.match(await call(other), /^HTTP\/1\.1 421 [^]*host-mismatch/);
      await assert.rejects(t.connect(chatHost.address, modelHost.name, { maxVersion, session }), {
        code: "ERR_SSL_TLSV1_UNRECOGNIZED_NAME",
      });
      await assert.rejects(t.connect(chatHost.address, undefined, { maxVersion, session }));
    });
  }

  /** What comes back for a first flight, and then the end or `enough` bytes. */
  async function flight(address: string, hello: Buffer, enough: number): Promise<Buffer> {
    const socket = net.connect(t.port, address);
    socket.on("error", () => undefined);
    socket.write(hello);
    let got = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      if (got.length >= enough) socket.destroy();
    });
    await new Promise((done) => socket.once("close", done));
    return got;
  }

  test("refuses a tunnel in whose ClientHello another is sealed", async () => {
    const hello = await realHello({ servername: tunnelHost.name });
    const before = connections();
    const sealed = withExtension(hello, 0xfe0d, Buffer.alloc(200));
    const alert = await flight(tunnelHost.address, sealed, 8);
    assert.deepEqual([...alert], [21, 3, 3, 0, 2, 2, 40]);
    await t.record((each) => each.code === "ech-refused" && each.grant === "tunnel");
    const greased = withExtension(hello, 0x1a1a, Buffer.alloc(200));
    const answer = await flight(tunnelHost.address, greased, 8);
    assert.equal(answer[0], 22, "a ServerHello from the host");
    assert.equal(connections(), before);
  });

  test("ends TLS where another ClientHello is sealed: what it says can't count", async () => {
    const hello = await realHello({ servername: modelHost.name });
    const sealed = withExtension(hello, 0xfe0d, Buffer.alloc(200));
    const answer = await flight(modelHost.address, sealed, 8);
    assert.equal(answer[0], 22, "a ServerHello");
  });

  test("records a handshake that comes to nothing", async () => {
    await assert.rejects(t.connect(modelHost.address, modelHost.name, { ALPNProtocols: ["ftp"] }), {
      code: "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
    });
    t.broker.abandon("stopped");
    await t.record((each) => each.code === "tls-handshake" && each.grant === "model");
  });

  test("goes by what is in force when the ClientHello has come", async () => {
    const hello = await realHello({ servername: tunnelHost.name });
    const socket = net.connect(t.port, tunnelHost.address);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write(hello.subarray(0, 20));
    await t.configure(t.config(t.bots.map((bot) => ({ ...bot, grants: [model] }))));
    const got = collect(socket);
    socket.write(hello.subarray(20));
    assert.equal((await got).charCodeAt(0), 21, "an alert");
    assert.deepEqual(await t.configure(), { type: "configured" });
  });
});
