import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { WallSpec } from "./WallSpec.ts";
import {
  inside,
  outside,
  probeSubject,
  program,
  specFor,
  start,
  temporaryFolder,
} from "./testing/harness.ts";
import type { Outcome } from "./testing/harness.ts";
import { NODE } from "./testing/reachable.ts";

const host = await probeSubject();
const skip = host.landlock < 6 || !host.seccomp ? "Landlock ABI 6 or seccomp is missing" : false;

/** A wall like the broker's: reads its program, writes one folder, starts nothing. */
function brokerChanges(audit: string): Partial<WallSpec> {
  // Without capabilities root is an owner like any other, and this folder is the subject's.
  chmodSync(audit, 0o777);
  const readable = ["/usr", "/lib", "/lib64", "/etc", NODE].filter((path) => existsSync(path));
  return {
    namespaces: "host",
    processes: "one",
    mounts: [
      ...readable.map((path) => ({ kind: "read", from: path, to: path }) as const),
      { kind: "write", from: audit, to: audit },
      { kind: "devices", to: "/dev" },
    ],
  };
}

function broker(t: TestContext, body: string, audit = temporaryFolder(t)): Promise<Outcome> {
  return inside(t, host, body, brokerChanges(audit));
}

test("in the host's namespaces the IPC channel stays with the process", { skip }, async (t) => {
  const messages: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const code = `process.on("message", (message) => process.send({ echo: message }))`;
  const started = start(t, host, specFor(code, brokerChanges(temporaryFolder(t))), (message) => {
    messages.push(message);
    resolve();
  });
  assert.equal(await started.process.inner(), started.process.pid);
  started.process.send("hello");
  await promise;
  assert.deepEqual(messages, [{ echo: "hello" }]);
  assert.equal(started.process.kill("SIGTERM"), true);
  assert.deepEqual(await started.finished, { code: null, signal: "SIGTERM" });
});

test("processes: one leaves threads, DNS and the network alone", { skip }, async (t) => {
  const server = createServer((socket) => socket.end("reached")).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const body = `
    const { Worker } = require("worker_threads");
    const worker = await new Promise((resolve, reject) =>
      new Worker("require('worker_threads').parentPort.postMessage(6 * 7)", { eval: true })
        .on("message", resolve).on("error", reject));
    const hash = await require("util").promisify(require("crypto").scrypt)("a", "b", 8);
    const { address } = await require("dns").promises.lookup("localhost");
    const said = await new Promise((resolve, reject) =>
      require("net").connect(${(server.address() as AddressInfo).port}, "127.0.0.1")
        .on("data", (data) => resolve(String(data))).on("error", reject));
    return { worker, hash: hash.length, local: address === "127.0.0.1" || address === "::1", said,
      interfaces: Object.keys(require("os").networkInterfaces()).includes("lo") };`;
  assert.deepEqual(await broker(t, body), {
    value: { worker: 42, hash: 8, local: true, said: "reached", interfaces: true },
  });
});

test("processes: one starts no process", { skip }, async (t) => {
  const body = `
    const done = require("child_process").spawnSync(process.execPath, ["-p", "1"], { stdio: "ignore" });
    if (done.error) throw done.error;
    return done.status`;
  assert.deepEqual(await outside(body), { value: 0 });
  const { error } = await broker(t, body);
  assert.equal(error, "EPERM");
});

test("processes: one executes nothing again, not even its own program", { skip }, async (t) => {
  const again = `process.execve(process.execPath, ["node", "-p", "'{\\"value\\":\\"again\\"}'"], {})`;
  assert.deepEqual(await outside(again), { value: "again" });
  const started = start(t, host, specFor(program(again), brokerChanges(temporaryFolder(t))));
  assert.deepEqual(await started.finished, { code: null, signal: "SIGSYS" });
  assert.equal(started.output(), "");
});

test("processes: one signals nobody and opens no Unix socket", { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "socket");
  const server = createServer((socket) => socket.end("host")).listen(path);
  await once(server, "listening");
  chmodSync(path, 0o777);
  t.after(() => server.close());
  const ask = `return new Promise((resolve, reject) => require("net").connect(${JSON.stringify(path)})
    .on("data", (data) => resolve(String(data))).on("error", reject));`;
  assert.deepEqual(await outside(ask), { value: "host" });
  // The folder is even one that it may write to: Landlock has no rule about connecting by path.
  const { error } = await broker(t, ask, folder);
  assert.ok(error === "EAFNOSUPPORT" || error === "EINVAL", error);
  assert.deepEqual(await broker(t, `process.kill(process.pid, 0)`), { error: "EPERM" });
  assert.deepEqual(await broker(t, `process.kill(${process.pid}, 0)`), { error: "EPERM" });
});

const read = (path: string) => `return require("fs").readFileSync("${path}", "utf8")`;
const append = (path: string) => `require("fs").appendFileSync("${path}", " and there")`;

test(
  "in the host's namespaces files are read and written as mounted, nowhere else",
  { skip },
  async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o777);
    const [audit, other] = [join(folder, "audit"), join(folder, "other")];
    for (const path of [audit, other]) {
      mkdirSync(path);
      chmodSync(path, 0o777);
      writeFileSync(join(path, "file"), "here");
      chmodSync(join(path, "file"), 0o666);
    }
    assert.deepEqual(await broker(t, read(`${audit}/file`), audit), { value: "here" });
    assert.deepEqual(await broker(t, append(`${audit}/file`), audit), {});
    assert.equal(readFileSync(`${audit}/file`, "utf8"), "here and there");
    assert.deepEqual(await outside(read(`${other}/file`)), { value: "here" });
    for (const act of [
      read(`${other}/file`),
      append(`${other}/file`),
      append(`${other}/new`),
      `require("fs").readdirSync("${other}")`,
      `require("fs").truncateSync("${other}/file")`,
      `require("fs").linkSync("${other}/file", "${audit}/link")`,
      `require("fs").renameSync("${other}/file", "${audit}/moved")`,
      `require("fs").readFileSync("/proc/${process.pid}/status")`,
    ]) {
      const { error } = await broker(t, act, audit);
      assert.ok(error === "EACCES" || error === "EXDEV" || error === "EPERM", `${act}: ${error}`);
    }
    assert.equal(readFileSync(`${other}/file`, "utf8"), "here");
  },
);

const bind = (port: number) => `return new Promise((resolve, reject) => {
    const server = require("net").createServer().on("error", reject)
      .listen(${port}, "127.0.0.1", () => { server.close(); resolve("bound"); }); });`;

test("in the host's namespaces only the named ports are bound", { skip }, async (t) => {
  const audit = temporaryFolder(t);
  // A port that was free a moment ago.
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  const changes = { ...brokerChanges(audit), network: { tcp: [], udp: [], bind: [port] } };
  assert.deepEqual(await inside(t, host, bind(port), changes), { value: "bound" });
  assert.deepEqual(await inside(t, host, bind(0), changes), { error: "EACCES" });
  assert.deepEqual(await outside(bind(0)), { value: "bound" });
});

test(
  "in the host's namespaces there are no capabilities, core dumps or inherited environment",
  { skip },
  async (t) => {
    // Its own status is not among what it may read, so a test reads it from outside.
    const code = "setInterval(() => undefined, 1000); process.send(process.env)";
    const started = start(t, host, specFor(code, brokerChanges(temporaryFolder(t))));
    const pid = await started.process.inner();
    while (readFileSync(`/proc/${pid}/comm`, "utf8") === "seawall-launch\n")
      await new Promise((resolve) => setImmediate(resolve));
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    for (const set of ["Inh", "Prm", "Eff", "Amb"])
      assert.match(status, new RegExp(`^Cap${set}:\\s*0{16}$`, "mu"));
    assert.match(status, /^NoNewPrivs:\s*1$/mu);
    assert.match(readFileSync(`/proc/${pid}/limits`, "utf8"), /^Max core file size +1 +1 /mu);
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(Boolean);
    assert.deepEqual(environment.toSorted(), [
      "NODE_CHANNEL_FD=3",
      "NODE_CHANNEL_SERIALIZATION_MODE=json",
      "PATH=/usr/bin",
      "SHELL=none",
    ]);
  },
);
