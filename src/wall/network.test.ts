import assert from "node:assert/strict";
import { fork } from "node:child_process";
import type { ChildProcess, SendHandle } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import {
  closeHandle,
  inside,
  lacking,
  outside,
  probeSubject,
  program,
  specFor,
  start,
  temporaryFolder,
} from "./testing/harness.ts";

const host = await probeSubject();
const skip = lacking(host);

interface Held {
  readonly message: { readonly protocol: string; readonly port: number; readonly family: number };
  readonly handle: unknown;
}

/** A stand-in for the broker: accepts on what it is sent and says who it is and what was dialed. */
const RECEIVER = `
process.on("message", (message, handle) => {
  if (message.protocol === "tcp") {
    const server = require("net").createServer((socket) => {
      socket.end(JSON.stringify({ pid: process.pid, to: socket.localAddress, port: socket.localPort }));
    });
    server.listen(handle, () => process.send("listening"));
  } else {
    const socket = require("dgram").createSocket("udp" + message.family);
    socket.on("message", (query, from) => socket.send("answer to " + query, from.port, from.address));
    socket.bind(handle, () => process.send("listening"));
  }
});`;

function startReceiver(t: TestContext): ChildProcess {
  const file = join(temporaryFolder(t), "receiver.cjs");
  writeFileSync(file, RECEIVER);
  const child = fork(file, { stdio: "inherit" });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

async function give(receiver: ChildProcess, held: readonly Held[]): Promise<void> {
  for (const { message, handle } of held) {
    const listening = once(receiver, "message");
    receiver.send(message, handle as SendHandle);
    await listening;
  }
}

const DIAL = `
const ask = (address) => new Promise((resolve, reject) => {
  let text = "";
  require("net").connect(443, address).on("data", (data) => (text += data))
    .on("end", () => resolve(JSON.parse(text))).on("error", reject);
});
const query = (family, address) => new Promise((resolve, reject) => {
  const socket = require("dgram").createSocket("udp" + family);
  socket.on("message", (data) => { socket.close(); resolve(String(data)); }).on("error", reject);
  socket.send("q", 53, address);
});
`;

const expected = (pid: number | undefined) => ({
  four: { pid, to: "9.9.9.9", port: 443 },
  six: { pid, to: "2620:fe::fe", port: 443 },
  udp: "answer to q",
  local: "answer to q",
});

test(
  "startWalled() hands listeners over, and a second receiver gets the same ones",
  { skip },
  async (t) => {
    const held: Held[] = [];
    // It asks its questions whenever its gateway is called.
    const code = `
    const http = require("http").createServer(async (request, response) => {
      ${DIAL}
      try {
        response.end(JSON.stringify({ four: await ask("9.9.9.9"), six: await ask("2620:fe::fe"),
          udp: await query(4, "8.8.8.8"), local: await query(6, "::1") }));
      } catch (error) { response.end(JSON.stringify({ error: error.message })); }
    }).listen(18789, "127.0.0.1", () => console.log("up"));`;
    const dialed: unknown[] = [];
    let waiting: (() => void) | undefined;
    const started = start(
      t,
      host,
      specFor(code, { network: { tcp: [443], udp: [53], bind: [18789], dial: 18789 } }),
      (message, handle) => {
        const { type } = message as { type: string };
        if (type === "listener") held.push({ message: message as Held["message"], handle });
        if (type === "dialed") {
          dialed.push(handle);
          waiting?.();
        }
      },
    );
    t.after(() => held.forEach(({ handle }) => closeHandle(handle)));
    await started.process.inner();
    assert.deepEqual(
      held.map(({ message }) => [message.protocol, message.port, message.family]),
      [
        ["tcp", 443, 4],
        ["tcp", 443, 6],
        ["udp", 53, 4],
        ["udp", 53, 6],
      ],
    );
    await started.printed;

    const round = async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting = resolve;
      started.process.send({ dial: true });
      await promise;
      return fetchOver(dialed.shift());
    };
    const first = startReceiver(t);
    await give(first, held);
    assert.deepEqual(await round(), expected(first.pid));
    first.kill("SIGKILL");
    await once(first, "exit");

    const second = startReceiver(t);
    await give(second, held);
    assert.deepEqual(await round(), expected(second.pid));
  },
);

/** GET / over a bare TCP handle, the reply's body as JSON. */
async function fetchOver(handle: unknown): Promise<unknown> {
  const socket = new Socket({ handle } as ConstructorParameters<typeof Socket>[0]);
  let text = "";
  socket.setEncoding("utf8").on("data", (data: string) => (text += data));
  socket.write("GET / HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n");
  await once(socket, "close");
  return JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) as unknown;
}

test("startWalled()'s dialer answers in order, refusals at once", { skip }, async (t) => {
  const answers: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const started = start(
    t,
    host,
    specFor("setInterval(() => undefined, 1000)", {
      network: { tcp: [], udp: [], bind: [18789], dial: 18789 },
    }),
    (message, handle) => {
      answers.push(JSON.stringify(message));
      closeHandle(handle);
      if (answers.length === 5) resolve();
    },
  );
  // Asked before it is ready, too: nothing is lost.
  for (let count = 0; count < 2; count++) started.process.send({ dial: true });
  await started.process.inner();
  for (let count = 0; count < 3; count++) started.process.send({ dial: true });
  await promise;
  const refused = JSON.stringify({ type: "dial-failed", error: "ECONNREFUSED" });
  assert.deepEqual(
    answers,
    Array.from({ length: 5 }, () => refused),
  );
});

test("a walled process can't reach a listener of the host over TCP", { skip }, async (t) => {
  const server = createServer((socket) => socket.end("host")).listen(0, "0.0.0.0");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const body = `return new Promise((resolve, reject) => require("net").connect(${port}, "127.0.0.1")
    .on("data", (data) => resolve(String(data))).on("error", reject));`;
  assert.deepEqual(await outside(body), { value: "host" });
  assert.deepEqual(await inside(t, host, body), { error: "EACCES" });
});

test(
  "a walled process without Landlock still can't reach a listener of the host",
  { skip },
  async (t) => {
    const server = createServer((socket) => socket.end("host")).listen(0, "0.0.0.0");
    await once(server, "listening");
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const body = `return new Promise((resolve, reject) => require("net").connect(${port}, "127.0.0.1")
    .on("data", (data) => resolve(String(data))).on("error", reject));`;
    assert.deepEqual(
      await inside(t, { ...host, landlock: 0 }, body, { concessions: ["no-landlock"] }),
      { error: "ECONNREFUSED" },
    );
  },
);

test("a walled process's datagrams don't reach the host", { skip }, async (t) => {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.after(() => socket.close());
  const seen: string[] = [];
  socket.on("message", (data) => seen.push(data.toString()));
  const send = (text: string) => `
    const socket = require("dgram").createSocket("udp4");
    return new Promise((resolve) => socket.send("${text}", ${socket.address().port}, "127.0.0.1",
      (error) => { socket.close(); resolve(error === null ? "sent" : error.code); }));`;
  assert.deepEqual(await inside(t, host, send("inside")), { value: "sent" });
  // Sent later, arrives: what was sent earlier would have come before it.
  const arrived = once(socket, "message");
  assert.deepEqual(await outside(send("outside")), { value: "sent" });
  await arrived;
  assert.deepEqual(seen, ["outside"]);
});

test("a walled process can't reach an abstract socket of the host", { skip }, async (t) => {
  const name = `\0seawall-test-${process.pid}`;
  const server = createServer((socket) => socket.end("host")).listen(name);
  await once(server, "listening");
  t.after(() => server.close());
  const body = `return new Promise((resolve, reject) => require("net").connect(${JSON.stringify(name)})
    .on("data", (data) => resolve(String(data))).on("error", reject));`;
  assert.deepEqual(await outside(body), { value: "host" });
  const { error } = await inside(t, host, body);
  assert.ok(error === "ECONNREFUSED" || error === "EPERM", error);
});

const bind = (port: number) => `return new Promise((resolve, reject) => {
    const server = require("net").createServer().on("error", reject)
      .listen(${port}, "127.0.0.1", () => { server.close(); resolve("bound"); }); });`;

test("a walled process binds its own ports and no other", { skip }, async (t) => {
  const network = { tcp: [], udp: [], bind: [18789] };
  assert.deepEqual(await outside(bind(0)), { value: "bound" });
  assert.deepEqual(await inside(t, host, bind(18789), { network }), { value: "bound" });
  for (const port of [0, 18790])
    assert.deepEqual(await inside(t, host, bind(port), { network }), { error: "EACCES" });
});

test("a walled process sees loopback and nothing else", { skip }, async (t) => {
  const body = `return Object.keys(require("os").networkInterfaces())`;
  assert.deepEqual(await inside(t, host, body), { value: ["lo"] });
});

test("startWalled() passes the program's own words through", { skip }, async (t) => {
  const started = start(t, host, specFor(program(`return 7`)));
  assert.deepEqual(await started.finished, { code: 0, signal: null });
  assert.equal(started.output(), '{"value":7}\n');
});
