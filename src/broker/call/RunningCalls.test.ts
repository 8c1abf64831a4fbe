import assert from "node:assert/strict";
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import net, { type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import type { BrokerGrant } from "../BrokerConfig.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { chatGrant, modelGrant, tunnelGrant } from "../testing/grants.ts";
import { canary, collect, TestBroker } from "../testing/TestBroker.ts";

describe("changes while calls run", () => {
  let t: TestBroker;
  let model: InjectBrokerGrant;
  let chat: InjectBrokerGrant;
  let tunnel: BrokerGrant;
  /** Replies that were begun and not ended, by host. */
  const open = new Map<string, ServerResponse>();
  const tunnelled: Socket[] = [];

  before(async () => {
    t = await TestBroker.start();
    for (const name of ["model", "chat", "other"]) t.secrets.set(name, canary(name));
    const names = ["api.model.test", "api.chat.test"];
    const { port } = await t.upstream(names, (request, response) => {
      request.resume();
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
      open.set(request.headers.host?.split(":")[0] ?? "", response);
    });
    const echo = await t.plainServer(
      net.createServer((socket) => {
        tunnelled.push(socket);
        socket.on("data", () => undefined);
      }),
    );
    const at = (dialled: number) => ({
      port: t.port,
      address: t.nextAddress(),
      dial: { host: "127.0.0.1", port: dialled, ca: t.upstreamAuthority.ca },
    });
    model = modelGrant(at(port));
    chat = chatGrant(at(port));
    tunnel = tunnelGrant(at(echo));
    await t.bot("basecamp", [model, chat, tunnel]);
  });
  after(() => t.end());

  async function inForce(grants: readonly BrokerGrant[]): Promise<void> {
    const bots = t.bots.map((bot) => ({ ...bot, grants }));
    assert.deepEqual(await t.configure(t.config(bots)), { type: "configured" });
  }

  /** A call whose reply has begun; `over` tells how it ended and what had come by then. */
  async function stream(
    { hosts: [host] }: InjectBrokerGrant,
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ readonly over: Promise<string> }> {
    assert.ok(host?.v4 !== undefined);
    const socket = await t.connect(host.v4, host.name);
    const request = http.request({
      createConnection: () => socket,
      method: "POST",
      path,
      headers: { host: `${host.name}:${t.port}`, ...headers },
    });
    request.on("error", () => undefined);
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    let text = `${response.statusCode} `;
    response.on("data", (chunk: Buffer) => (text += chunk.toString()));
    response.on("error", () => undefined);
    await once(response, "data");
    return {
      over: new Promise((resolve) => {
        response.once("close", () => {
          resolve(response.complete ? text : `${text}cut`);
        });
      }),
    };
  }
  const talk = () => stream(model, "/v1/messages", { "x-api-key": model.phantom });
  const say = () => stream(chat, `/bot${chat.phantom}/send`, {});

  test("a rule that is taken away cuts the stream it allowed, and no other", async () => {
    await inForce([model, chat, tunnel]);
    const [taken, left] = [await talk(), await say()];
    await inForce([{ ...model, rules: [{ method: "GET", path: "/v1/models/**" }] }, chat, tunnel]);
    assert.equal(await taken.over, "200 data: 1\n\ncut");
    const record = await t.record((each) => each.code === "grant-withdrawn");
    assert.deepEqual(
      [record.kind, record.grant, record.outcome, record.status, record.bytesIn],
      ["call", "model", "refused", 200, 9],
    );
    open.get("api.chat.test")?.end("data: 2\n\n");
    assert.equal(await left.over, "200 data: 1\n\ndata: 2\n\n");
  });

  test("a grant that is taken away, or has another secret or phantom, cuts its streams", async () => {
    const stricter: readonly (readonly BrokerGrant[])[] = [
      [chat, tunnel],
      [{ ...model, secret: "other" }, chat, tunnel],
      [{ ...model, phantom: canary("sk-phantom-") }, chat, tunnel],
      [{ ...model, deny: [{ method: "POST", path: "/v1/*" }] }, chat, tunnel],
      [{ ...model, ask: [{ method: "POST", path: "/v1/*" }] }, chat, tunnel],
      // Another way out, or another place to go to.
      [{ ...model, dial: { ...model.dial, proxy: "http://127.0.0.1:9" } }, chat, tunnel],
      [{ ...model, dial: { ...model.dial, host: "127.0.0.2" } }, chat, tunnel],
    ];
    for (const grants of stricter) {
      await inForce([model, chat, tunnel]);
      const taken = await talk();
      await inForce(grants);
      assert.equal(await taken.over, "200 data: 1\n\ncut");
    }
  });

  test("a change that leaves a call as it was lets it run", async () => {
    await inForce([model, chat, tunnel]);
    const left = await talk();
    await inForce([{ ...model, limits: { concurrentCalls: 1 }, anonymous: [] }]);
    open.get("api.model.test")?.end("data: 2\n\n");
    assert.equal(await left.over, "200 data: 1\n\ndata: 2\n\n");
  });

  test("a tunnel ends with its grant", async () => {
    await inForce([model, chat, tunnel]);
    const [host] = tunnel.hosts;
    const hello = await clientHello(host?.name ?? "");
    const sockets = [1, 2].map(() => net.connect(t.port, host?.v4));
    const [socket] = sockets;
    assert.ok(socket !== undefined);
    for (const each of sockets) {
      each.on("error", () => undefined);
      each.write(hello);
    }
    while (tunnelled.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await inForce([model, chat, { ...tunnel, dial: {} }]);
    assert.equal(socket.destroyed, false);
    await inForce([model, chat]);
    await collect(socket);
    const record = await t.record((each) => each.kind === "tunnel");
    assert.deepEqual([record.outcome, record.code], ["refused", "grant-withdrawn"]);
    for (const each of sockets) each.destroy();
  });

  test("a call that came before the change and is decided after it is refused", async () => {
    const body = { kind: "mcp", tool: "x" } as const;
    const read = { ...model, deny: [{ method: "POST", path: "/v1/messages", body }] };
    await inForce([read]);
    const rpc = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });
    const [host] = model.hosts;
    const socket = await t.connect(host?.v4 ?? "", host?.name);
    const got = collect(socket);
    const head = [
      "POST /v1/messages HTTP/1.1",
      `Host: ${host?.name}:${t.port}`,
      `x-api-key: ${model.phantom}`,
      "Content-Type: application/json",
      `Content-Length: ${rpc.length}`,
      "Connection: close",
      "Expect: 100-continue",
    ];
    // Its body is read first, and comes only after the rule has gone.
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    await once(socket, "data");
    await inForce([{ ...read, rules: [] }]);
    socket.write(rpc);
    assert.match(await got, /HTTP\/1\.1 403 .*grant-withdrawn/s);
  });

  test("a call that waits for the owner is refused when its grant goes", async () => {
    const ask = { ...model, rules: [], ask: [{ method: "POST", path: "/v1/messages" }] };
    await inForce([ask]);
    const [host] = model.hosts;
    const options = {
      method: "POST",
      path: "/v1/messages",
      headers: { "x-api-key": model.phantom },
    };
    const reply = t.request({ name: host?.name ?? "", address: host?.v4 ?? "" }, options);
    while (!t.sent.some(({ type }) => type === "ask"))
      await new Promise((resolve) => setImmediate(resolve));
    await inForce([chat]);
    const { status, body } = await reply;
    assert.equal(status, 403);
    assert.match(body, /grant-withdrawn/);
    assert.equal(t.sent.filter(({ type }) => type === "ask-settled").length, 1);
  });
});

/** The first bytes of a TLS client. */
async function clientHello(name: string): Promise<Buffer> {
  const { connect } = await import("node:tls");
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const arrived = once(server, "connection") as Promise<[Socket]>;
  const { port } = server.address() as net.AddressInfo;
  const client = connect({ port, host: "127.0.0.1", servername: name });
  client.on("error", () => undefined);
  const [socket] = await arrived;
  const [bytes] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}
