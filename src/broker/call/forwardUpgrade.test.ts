import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import { WebSocket, WebSocketServer } from "ws";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { modelGrant } from "../testing/grants.ts";
import { canary, collect, TestBroker } from "../testing/TestBroker.ts";

describe("a WebSocket through the broker", () => {
  let t: TestBroker;
  let chat: InjectBrokerGrant;
  const secret = canary("sk-real-");
  const host = { name: "gateway.chat.test", address: "" };
  const upgrades: IncomingMessage[] = [];
  const messages: string[] = [];
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  let act: ((request: IncomingMessage, socket: Duplex) => void) | undefined;

  before(async () => {
    t = await TestBroker.start();
    t.secrets.set("model", secret);
    const { chain, key } = await t.upstreamAuthority.issue([host.name]);
    const inner = http.createServer((_request, response) => response.end("no socket"));
    inner.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      upgrades.push(request);
      if (act !== undefined) {
        act(request, socket);
        return;
      }
      sockets.handleUpgrade(request, socket, head, (peer) => {
        peer.on("message", (data: Buffer) => {
          messages.push(data.toString());
          peer.send(data.toString());
        });
      });
    });
    const server = tls.createServer({ cert: chain, key }, (socket) => {
      inner.emit("connection", socket);
    });
    const port = await t.plainServer(server);
    host.address = t.nextAddress();
    chat = modelGrant(
      {
        port: t.port,
        address: host.address,
        dial: { host: "127.0.0.1", port, ca: t.upstreamAuthority.ca },
      },
      {
        hosts: [{ name: host.name, port: t.port, scheme: "https", v4: host.address }],
        places: [
          { in: "header", name: "x-api-key", prefix: "" },
          { in: "websocket", pointer: "/d/token", where: [{ pointer: "/op", equals: 2 }] },
        ],
        rules: [{ method: "GET", path: "/gateway" }],
        anonymous: [],
      },
    );
    await t.bot("basecamp", [chat]);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });
  after(() => t.end());

  async function open(path: string, headers: Record<string, string> = {}): Promise<WebSocket> {
    const socket = await t.connect(host.address, host.name);
    return new WebSocket(`wss://${host.name}:${t.port}${path}`, {
      createConnection: () => socket,
      headers,
      finishRequest: (request) => {
        request.end();
      },
    });
  }

  async function refusal(path: string, headers: Record<string, string> = {}): Promise<number> {
    const socket = await open(path, headers);
    socket.on("error", () => undefined);
    const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
    response.resume();
    return response.statusCode ?? 0;
  }

  test("forwardUpgrade() puts the secret into the frame that carries the phantom, and the phantom back", async () => {
    const socket = await open("/gateway");
    await once(socket, "open");
    socket.send(JSON.stringify({ op: 2, d: { token: chat.phantom } }));
    const [echo] = (await once(socket, "message")) as [Buffer];
    assert.deepEqual(JSON.parse(messages.at(-1) ?? ""), { op: 2, d: { token: secret } });
    assert.deepEqual(JSON.parse(echo.toString()), { op: 2, d: { token: chat.phantom } });
    assert.equal(upgrades.at(-1)?.headers["sec-websocket-extensions"], undefined);
    assert.equal(upgrades.at(-1)?.headers.host, `${host.name}:${t.port}`);
    socket.close();
    await once(socket, "close");
    const record = await t.record((each) => each.path === "/gateway");
    assert.equal(record.outcome, "done");
    assert.equal(record.status, 101);
    assert.ok((record.bytesOut ?? 0) > 0 && (record.bytesIn ?? 0) > 0);
  });

  test("forwardUpgrade() puts the secret into the request where the phantom stands there", async () => {
    const socket = await open("/gateway", { "x-api-key": chat.phantom });
    await once(socket, "open");
    assert.equal(upgrades.at(-1)?.headers["x-api-key"], secret);
    socket.terminate();
  });

  test("forwardUpgrade() passes another reply than 101 on, redacted", async () => {
    act = (_request, socket) => {
      const body = `who is ${secret}`;
      socket.end(`HTTP/1.1 401 No\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    };
    assert.equal(await refusal("/gateway"), 401);
    act = undefined;
  });

  test("a WebSocket is decided about like a call", async () => {
    const before = upgrades.length;
    assert.equal(await refusal("/elsewhere"), 403);
    assert.equal(await refusal("/gateway", { "x-debug": chat.phantom }), 403);
    assert.equal(await refusal("/gateway", { "x-api-key": "sk-of-mallory" }), 403);
    assert.equal(await refusal("/gateway/../x"), 403);
    assert.equal(upgrades.length, before);
  });

  /** What a lying upstream answers, and the control. */
  const answers: readonly [string, (accept: string) => string, number][] = [
    ["a right one", (accept) => `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n`, 101],
    ["another key's answer", () => "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n", 502],
    ["no answer to the key", () => "Upgrade: websocket\r\nConnection: Upgrade\r\n", 502],
    ["another protocol", (accept) => `Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n`, 502],
    ["an extension nobody offered", (accept) => `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n`, 502],
    ["a subprotocol nobody offered", (accept) => `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: x\r\n`, 502],
  ]; // prettier-ignore
  for (const [what, fields, status] of answers) {
    test(`forwardUpgrade() answers ${status} when the upstream's 101 has ${what}`, async () => {
      act = (request, socket) => {
        const accept = createHash("sha1")
          .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          .digest("base64");
        socket.write(`HTTP/1.1 101 Switching\r\n${fields(accept)}\r\n`);
      };
      const socket = await t.connect(host.address, host.name);
      const got = new Promise<string>((resolve) => {
        socket.once("data", (chunk: Buffer) => {
          resolve(chunk.toString());
        });
      });
      socket.write(
        `GET /gateway HTTP/1.1\r\nHost: ${host.name}:${t.port}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n`,
      );
      assert.match(await got, new RegExp(`^HTTP/1\\.1 ${status} `));
      socket.destroy();
      act = undefined;
    });
  }

  test("an upgrade without a proper key or version is refused", async () => {
    const ask = (more: string): Promise<string> =>
      t.raw(
        host,
        `GET /gateway HTTP/1.1\r\nHost: ${host.name}:${t.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`,
      );
    const before = upgrades.length;
    assert.match(await ask("Sec-WebSocket-Version: 13\r\n"), /websocket-invalid/);
    assert.match(
      await ask("Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"),
      /websocket-invalid/,
    );
    assert.equal(upgrades.length, before);
  });

  test("frames sent before the 101 reach the upstream after it", async () => {
    const socket = await t.connect(host.address, host.name);
    const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d]);
    socket.write(
      `GET /gateway HTTP/1.1\r\nHost: ${host.name}:${t.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n`,
    );
    socket.write(frame);
    const text = await new Promise<string>((resolve) => {
      let all = "";
      socket.on("data", (chunk: Buffer) => {
        all += chunk.toString("latin1");
        if (all.endsWith("\x81\x02{}")) resolve(all);
      });
    });
    assert.match(text, /^HTTP\/1\.1 101 /);
    socket.destroy();
  });

  test("a WebSocket is closed when its grant is withdrawn", async () => {
    const socket = await open("/gateway");
    await once(socket, "open");
    const closed = once(socket, "close");
    const [bot] = t.bots;
    assert.ok(bot !== undefined);
    await t.configure(t.config([{ ...bot, grants: [{ ...chat, rules: [] }] }]));
    await closed;
    await t.record((each) => each.code === "grant-withdrawn");
    await t.configure();
  });

  test("the upstream's WebSocket ends when the bot goes away", async () => {
    const socket = await open("/gateway");
    await once(socket, "open");
    const peer = [...sockets.clients].at(-1);
    assert.ok(peer !== undefined);
    const closed = once(peer, "close");
    socket.terminate();
    await closed;
  });

  test("a plain call on the same host still works", async () => {
    const socket = await t.connect(host.address, host.name);
    const got = collect(socket);
    socket.write(
      `GET /gateway HTTP/1.1\r\nHost: ${host.name}:${t.port}\r\nx-api-key: ${chat.phantom}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(await got, /no socket$/);
  });

  test("neither secret nor phantom is in what the broker wrote", () => {
    const all = t.everything().toLowerCase();
    for (const marker of [secret, chat.phantom])
      assert.ok(!all.includes(marker.toLowerCase().slice(9)));
  });
});
