import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { compileWall } from "./compileWall.ts";
import type { HostCapabilities } from "./HostCapabilities.ts";
import {
  buildAttempt,
  lacking,
  outside,
  probeSubject,
  program,
  specFor,
  start,
  SUBJECT,
  temporaryFolder,
  type Outcome,
} from "./testing/harness.ts";
import { NODE } from "./testing/reachable.ts";
import type { Mount, WallSpec } from "./WallSpec.ts";

const real = await probeSubject();
const skip = lacking(real);
/** This host as if user namespaces were forbidden: none is made on any way from here. */
const host: HostCapabilities = {
  ...real,
  namespaces: { ok: false, reason: "taken away by the test" },
};

const MOUNTS: readonly Mount[] = [
  ...["/usr", "/lib", "/lib64", "/bin", "/etc"]
    .filter((path) => existsSync(path))
    .map((path): Mount => ({ kind: "read", from: path, to: path })),
  { kind: "read", from: NODE, to: NODE },
  { kind: "proc", to: "/proc" },
  { kind: "devices", to: "/dev" },
];

function shared(body: string, changes: Partial<WallSpec> = {}): WallSpec {
  return {
    ...specFor(program(body)),
    command: [NODE, "-e", program(body)],
    concessions: ["no-user-namespaces"],
    ...changes,
    mounts: [...MOUNTS, ...(changes.mounts ?? [])],
  };
}

async function within(
  t: TestContext,
  body: string,
  changes: Partial<WallSpec> = {},
  onMessage?: (message: unknown, handle: unknown) => void,
): Promise<Outcome> {
  const started = start(t, host, shared(body, changes), onMessage);
  const exit = await started.finished;
  const line = started.output().trim().split("\n").at(-1) ?? "";
  assert.notEqual(line, "", `${started.errors()} ${JSON.stringify(exit)}`);
  return JSON.parse(line) as Outcome;
}

/** Says `text` to whoever connects, and minds nothing. */
function saying(text: string): Server {
  return createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(text);
  });
}

async function serve(t: TestContext, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const connect = (port: number | string, host = "127.0.0.1") => `
  const socket = require("net").connect(${port}, "${host}");
  return await new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("data", (data) => { resolve(data.toString()); socket.destroy(); });
  });`;

test("without namespaces nothing starts, unless that is conceded", { skip }, () => {
  const spec = { ...shared("return 1"), concessions: [] };
  assert.throws(() => compileWall(spec, host), { code: "user-namespaces", exitCode: 4 });
  const wall = compileWall(shared("return 1"), host);
  assert.equal(wall.bwrap, undefined);
  const states = new Map(wall.mechanisms.map(({ mechanism, state }) => [mechanism, state]));
  assert.equal(states.get("namespaces"), "missing");
  assert.equal(states.get("network"), "partly");
  assert.equal(states.get("execution"), "partly");
  // The concession takes nothing away where there are namespaces.
  assert.notEqual(compileWall(shared("return 1"), real).bwrap, undefined);
});

test(
  "without namespaces Landlock with ports and scopes is needed, conceded or not",
  { skip },
  () => {
    for (const landlock of [0, 1, 3, 5])
      assert.throws(
        () =>
          compileWall(shared("return 1", { concessions: ["no-landlock", "no-user-namespaces"] }), {
            ...host,
            landlock,
          }),
        { code: "landlock", exitCode: 4 },
      );
  },
);

test(
  "without namespaces files are read, written and executed only as granted",
  { skip },
  async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o777);
    for (const name of ["in", "out"]) {
      mkdirSync(join(folder, name));
      chmodSync(join(folder, name), 0o777);
    }
    for (const name of ["secret", "in/file"]) {
      writeFileSync(join(folder, name), name);
      chmodSync(join(folder, name), 0o666);
    }
    const mounts: Mount[] = [
      { kind: "read", from: join(folder, "in"), to: join(folder, "in") },
      { kind: "write", from: join(folder, "out"), to: join(folder, "out") },
    ];
    const read = (name: string) => `return require("fs").readFileSync("${folder}/${name}", "utf8")`;
    const write = (name: string) => `require("fs").writeFileSync("${folder}/${name}", "x")`;
    assert.deepEqual(await outside(read("secret")), { value: "secret" });
    assert.deepEqual(await within(t, read("in/file"), { mounts }), { value: "in/file" });
    assert.deepEqual(await within(t, write("out/new"), { mounts }), {});
    for (const body of [
      read("secret"),
      read("in/../secret"),
      `return require("fs").readFileSync("/proc/self/root${folder}/secret", "utf8")`,
      write("in/file"),
      write("secret"),
      write("new"),
      `require("fs").symlinkSync("${folder}/secret", "${folder}/out/link"); ${read("out/link")}`,
      `require("fs").linkSync("${folder}/in/file", "${folder}/out/hard")`,
      `require("fs").renameSync("${folder}/in/file", "${folder}/out/moved")`,
    ]) {
      const { error } = await within(t, body, { mounts });
      assert.match(error ?? "it worked", /^(?:EACCES|EXDEV|EPERM)$/u, body);
    }
    const run = (path: string) => `
    const done = require("child_process").spawnSync("${path}", { encoding: "utf8" });
    if (done.error) throw done.error; return done.status;`;
    assert.deepEqual(await within(t, run("/usr/bin/true"), { execute: ["/usr/bin/true"] }), {
      value: 0,
    });
    assert.deepEqual(await within(t, run("/usr/bin/true")), { error: "EACCES" });
  },
);

test("without namespaces the network is the proxy's port", { skip }, async (t) => {
  const other = await serve(t, saying("other"));
  assert.deepEqual(await outside(connect(other)), { value: "other" });
  const free = createServer();
  const proxy = await serve(t, free);
  await new Promise((resolve) => free.close(resolve));
  const proxyServer = saying("proxy");
  t.after(() => proxyServer.close());
  const addresses: unknown[] = [];
  const onMessage = (message: unknown, handle: unknown) => {
    addresses.push(message);
    proxyServer.listen(handle as object);
  };
  const network = { tcp: [443, proxy], udp: [53], bind: [], proxy };
  assert.deepEqual(await within(t, connect(proxy), { network }, onMessage), { value: "proxy" });
  // It is one listener, of this host alone, and none for 443.
  assert.deepEqual(addresses, [{ type: "listener", protocol: "tcp", port: proxy, family: 4 }]);
  assert.equal((proxyServer.address() as AddressInfo).address, "127.0.0.1");
  for (const body of [connect(other), connect(other, "127.0.0.2"), connect(other, "::1")])
    assert.match((await within(t, body)).error ?? "it worked", /^(?:EACCES|EPERM)$/u);
  assert.deepEqual(
    await within(
      t,
      `const server = require("net").createServer(); return await new Promise((resolve, reject) => { server.on("error", reject); server.listen(0, () => { resolve("bound"); server.close(); }); });`,
    ),
    { error: "EACCES" },
  );
});

test(
  "without namespaces there is no UDP, no Unix socket and no connecting by sending",
  { skip },
  async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o777);
    const attempt = buildAttempt(folder);
    const path = join(folder, "socket");
    const server = saying("unix");
    server.listen(path);
    await once(server, "listening");
    t.after(() => server.close());
    chmodSync(path, 0o777);
    const mounts: Mount[] = [{ kind: "write", from: folder, to: folder }];
    const unix = connect(JSON.stringify(path)).replace(`, "127.0.0.1"`, "");
    assert.deepEqual(await outside(unix), { value: "unix" });
    assert.deepEqual(await within(t, unix, { mounts }), { error: "EAFNOSUPPORT" });
    const udp = `
    const socket = require("dgram").createSocket("udp4");
    return await new Promise((resolve, reject) => {
      socket.on("error", reject);
      socket.send("x", 9, "127.0.0.1", (error) => { socket.close(); error ? reject(error) : resolve("sent"); });
    });`;
    assert.deepEqual(await outside(udp), { value: "sent" });
    assert.match((await within(t, udp)).error ?? "it worked", /^(?:EPROTONOSUPPORT|EACCES)$/u);
    const port = await serve(t, saying("x"));
    const fast = (file: string) => `
    return require("child_process").spawnSync("${file}", ["fastopen", "${port}"], { encoding: "utf8" }).stdout.trim();`;
    assert.deepEqual(await outside(fast(attempt)), { value: '{"result":1}' });
    const granted = {
      mounts: [{ kind: "read", from: attempt, to: attempt }] as const,
      execute: [attempt],
    };
    assert.deepEqual(await within(t, fast(attempt), granted), {
      value: '{"result":-1,"error":"EOPNOTSUPP"}',
    });
  },
);

test(
  "without namespaces other processes are neither signalled nor looked into",
  { skip },
  async (t) => {
    const child = spawn("/usr/bin/sleep", ["60"], {
      stdio: "ignore",
      env: { MARK: "1" },
      ...SUBJECT,
    });
    await once(child, "spawn");
    t.after(() => child.kill("SIGKILL"));
    const pid = child.pid ?? 0;
    const look = `return require("fs").readFileSync("/proc/${pid}/environ", "utf8").length > 0`;
    assert.deepEqual(await outside(look), { value: true });
    assert.deepEqual(await within(t, look), { error: "EACCES" });
    assert.deepEqual(await within(t, `process.kill(${pid}, "SIGKILL")`), { error: "EPERM" });
    assert.equal(child.exitCode, null);
    assert.match(readFileSync(`/proc/${pid}/status`, "utf8"), /^State:\tS/mu);
  },
);

test(
  "without namespaces what can't be kept is refused, and what isn't there is named",
  { skip },
  (t) => {
    const folder = temporaryFolder(t);
    const write: Mount = { kind: "write", from: folder, to: folder };
    const identity = { device: "1", inode: "1" };
    const inner: Mount = { kind: "read", from: `${folder}/a`, to: `${folder}/a`, placed: identity };
    assert.throws(() => compileWall(shared("0", { mounts: [write, inner] }), host), {
      code: "protect",
    });
    assert.throws(
      () =>
        compileWall(
          shared("0", { mounts: [write, { kind: "sealed", to: `${folder}/a`, mode: 0o755 }] }),
          host,
        ),
      { code: "protect" },
    );
    assert.throws(
      () => compileWall(shared("0", { network: { tcp: [], udp: [], bind: [1], dial: 1 } }), host),
      { code: "user-namespaces" },
    );
    const { mechanisms } = compileWall(
      shared("0", {
        mounts: [
          { kind: "memory", to: "/memory", size: 1 << 20 },
          { kind: "read", from: folder, to: "/elsewhere" },
        ],
      }),
      host,
    );
    assert.match(mechanisms[0]?.detail ?? "", /not there: \/memory, \/elsewhere/u);
  },
);
