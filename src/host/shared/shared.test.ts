import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { makeAuthority } from "../../broker/testing/certificates.ts";
import { tunnelGrant } from "../../broker/testing/grants.ts";
import { readPin, renderConfig } from "../../openclaw/index.ts";
import { botPlan } from "../../openclaw/testing/testBot.ts";
import { statePaths, type StatePaths } from "../../paths/index.ts";
import { compileWall, startWalled, type WalledExit, type WallSpec } from "../../wall/index.ts";
import {
  lacking,
  outside,
  probeSubject,
  program,
  ROOT,
  SUBJECT,
  temporaryFolder,
  type Outcome,
} from "../../wall/testing/harness.ts";
import { LAUNCHER, NODE } from "../../wall/testing/reachable.ts";
import { auditFile } from "../auditRecord.ts";
import { proxyToken } from "../brokerConfig.ts";
import { brokerWall } from "../brokerWall.ts";
import { findCommands } from "../findCommand.ts";
import { LogFile } from "../LogFile.ts";
import { storeLauncher } from "../storeLauncher.ts";
import { BrokerProcess } from "../supervisor/BrokerProcess.ts";
import { closeHandle } from "../supervisor/launchMessages.ts";
import { dialShared, listenerOf } from "./dialShared.ts";
import { requireShared } from "./requireShared.ts";
import { makeLocks, writeTold } from "./sharedFiles.ts";
import { sharedFolders, sharedInside } from "./sharedInside.ts";
import { SharedPorts, type SharedPort } from "./SharedPorts.ts";
import { sharedWall } from "./sharedWall.ts";

const host = await probeSubject();
const skip = lacking(host);
const KEY = Buffer.alloc(32, 7);
const { uid } = SUBJECT as { uid?: number };

interface Walled {
  readonly spec: WallSpec;
  readonly home: string;
  readonly told: string;
  readonly ports: SharedPort;
}

/** What `seawall up` makes of a bot without namespaces; the command is the test's own. */
async function prepare(paths: StatePaths, name: string, held: SharedPorts): Promise<Walled> {
  const openclaw = join(paths.root, "openclaw");
  mkdirSync(openclaw, { recursive: true });
  const plan = botPlan({ name, commands: ["ls"], concessions: ["no-user-namespaces"] });
  const commands = findCommands(["ls"], name);
  const bot = { openclaw: { root: openclaw, entry: join(openclaw, "x") }, commands, cas: {} };
  const programs = {
    node: NODE,
    launcher: LAUNCHER,
    shell: findCommands(["sh"], name)[0]?.path ?? "",
  };
  const folders = sharedFolders(paths, { plan, programs, bot });
  const inside = sharedInside(folders, { programs, bot });
  const rendered = renderConfig(plan, inside, readPin(plan.openclaw.version));
  const told = { ...bot, rendered };
  mkdirSync(folders.home, { recursive: true, mode: 0o700 });
  if (uid !== undefined) chownSync(folders.home, uid, uid);
  const cas = writeTold(folders, { inside, bot: told, programs, trust: "none", uid });
  const ports = { ...(await held.take(name)), token: proxyToken(name, KEY) };
  const { temporary } = folders;
  const input = { plan, bot: told, programs, inside, temporary, cas, ports };
  const spec = sharedWall({ ...input, locks: makeLocks(uid), variables: {}, boundsMemory: false });
  return { spec, home: folders.home, told: folders.told, ports };
}

function setUp(t: TestContext): { paths: StatePaths; held: SharedPorts } {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o755);
  const paths = statePaths({ SEAWALL_STATE: folder, SEAWALL_STORE: join(folder, "store") }, 0);
  mkdirSync(paths.bots, { recursive: true });
  const held = new SharedPorts();
  t.after(() => {
    held.close();
    // Ours alone; another user's OpenClaw may have theirs.
    if (uid !== undefined) rmSync(makeLocks(uid), { recursive: true });
  });
  return { paths, held };
}

async function run(
  spec: WallSpec,
  body: string,
): Promise<{ readonly outcome: Outcome; readonly exit: WalledExit }> {
  const command = [NODE, "-e", program(body)] as const;
  const walled = startWalled(compileWall({ ...spec, command: [...command] }, host), {
    launcher: LAUNCHER,
    ...SUBJECT,
    stdout: "pipe",
    stderr: "pipe",
    onMessage: () => undefined,
  });
  let [output, errors] = ["", ""];
  walled.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  walled.stderr?.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const exit = await walled.exited;
  const line = output.trim().split("\n").at(-1) ?? "";
  assert.notEqual(line, "", `${errors} ${JSON.stringify(exit)}`);
  return { outcome: JSON.parse(line) as Outcome, exit };
}

const say = (port: number, text: string) => `
  const socket = require("net").connect(${port}, "127.0.0.1");
  return await new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("data", (data) => { resolve(data.toString().split("\\r\\n")[0]); socket.destroy(); });
    socket.write(${JSON.stringify(text)});
  });`;
const connectTo = (name: string, token?: string) => {
  const auth =
    token === undefined
      ? ""
      : `Proxy-Authorization: Basic ${Buffer.from(`bot:${token}`).toString("base64")}\r\n`;
  return `CONNECT ${name}:443 HTTP/1.1\r\nHost: ${name}:443\r\n${auth}\r\n`;
};

test(
  "a bot without namespaces reaches its own proxy with its own token, and no other port of the loopback",
  { skip },
  async (t) => {
    const { paths, held } = setUp(t);
    for (const each of [
      paths.audit,
      paths.vault.folder,
      paths.logs,
      join(paths.store, "broker-cache"),
    ])
      mkdirSync(each, { recursive: true, mode: 0o700 });
    const [a, b] = [await prepare(paths, "a", held), await prepare(paths, "b", held)];
    const certificate = await (await makeAuthority("wall")).issue(["nothing.invalid"]);
    const broker = new BrokerProcess({
      log: new LogFile(join(paths.logs, "broker.log")),
      callbacks: {
        onDial: () => undefined,
        onAsk: () => undefined,
        listeners: () => ["a", "b"].flatMap((name) => held.listeners(name)),
      },
    });
    t.after(() => broker.stop(0));
    const walled = { programs: { node: process.execPath }, plan: { bots: [], secrets: [] } };
    await broker.useWall(brokerWall(walled, paths, host), storeLauncher(paths.store));
    const dial = { host: "127.0.0.1", port: 1 };
    const grants = [tunnelGrant({ port: 443, address: "198.18.0.1", dial })];
    const vault = join(paths.vault.folder, "none");
    await broker.configure({
      secrets: [],
      vault: { file: vault, identity: vault },
      audit: { file: auditFile(paths) },
      bots: [
        { name: "a", grants, certificate, proxy: { port: a.ports.proxy, token: a.ports.token } },
        { name: "b", grants, certificate, proxy: { port: b.ports.proxy, token: b.ports.token } },
      ],
    });
    const other = createServer((socket) => socket.on("error", () => undefined).end("other"));
    await once(other.listen(0, "127.0.0.1"), "listening");
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    const granted = "www.tunnel.test";
    const inside = async (body: string): Promise<unknown> => {
      const { outcome } = await run(a.spec, body);
      return outcome.value ?? outcome.error;
    };
    const through = async (body: string): Promise<unknown> => (await outside(body)).value;

    assert.match(
      String(await inside(say(a.ports.proxy, connectTo(granted, a.ports.token)))),
      / 200 /,
    );
    for (const token of [undefined, b.ports.token, "x"])
      assert.match(String(await inside(say(a.ports.proxy, connectTo(granted, token)))), / 407 /);
    assert.match(
      String(await inside(say(a.ports.proxy, connectTo("evil.test", a.ports.token)))),
      / 421 /,
    );
    // Whoever else is on this host gets to the port, and nowhere from there.
    assert.match(String(await through(say(a.ports.proxy, connectTo(granted)))), / 407 /);
    assert.match(
      String(await through(say(a.ports.proxy, connectTo(granted, b.ports.token)))),
      / 407 /,
    );
    assert.equal(await through(say(port, "x")), "other");
    for (const closed of [port, b.ports.proxy, b.ports.gateway])
      assert.equal(await inside(say(closed, "x")), "EACCES");
  },
);

test(
  "a bot without namespaces has the files, programs and sockets it was granted",
  { skip },
  async (t) => {
    const { paths, held } = setUp(t);
    const { spec, home, told, ports } = await prepare(paths, "a", held);
    const neighbour = await prepare(paths, "b", held);
    const secret = join(paths.root, "secret");
    writeFileSync(secret, "secret", { mode: 0o666 });
    chmodSync(secret, 0o666);
    const neighbours = join(neighbour.home, "own");
    writeFileSync(neighbours, "x", { mode: 0o666 });
    if (ROOT) chmodSync(neighbour.home, 0o755);
    const read = (path: string) => `return require("fs").readFileSync("${path}", "utf8")`;
    const write = (path: string) => `require("fs").writeFileSync("${path}", "x"); return "written"`;
    const listen = (port: number, kind = "net.createServer()") =>
      `
    const server = require("net") && ${kind};
    return await new Promise((resolve, reject) => {
      server.on("error", reject);
      server.listen(${port}, "127.0.0.1", () => { resolve("bound"); server.close(); });
    });`.replace("net.createServer()", `require("net").createServer()`);
    const exec = (path: string) => `
    const done = require("child_process").spawnSync("${path}", ["/dev/null"], { encoding: "utf8" });
    if (done.error) throw done.error; return done.stdout.trim();`;
    for (const [body, value] of [
      [read(join(told, "config/openclaw.json")).replace("return", "return !!"), true],
      [write(join(home, "new")), "written"],
      [write("/x").replace(`"/x"`, `process.env.TMPDIR + "/x"`), "written"],
      [listen(ports.gateway), "bound"],
      [exec("ls"), "/dev/null"],
    ] as const)
      assert.deepEqual((await run(spec, body)).outcome, { value }, body);
    assert.deepEqual(await outside(read(secret)), { value: "secret" });
    assert.deepEqual(await outside(read(neighbours)), { value: "x" });
    const own = join(home, "own-program");
    writeFileSync(own, readFileSync("/usr/bin/true"), { mode: 0o755 });
    for (const body of [
      read(secret),
      read(neighbours),
      read(join(home, "../b/own")),
      read(`/proc/self/root${secret}`),
      read("/etc/shadow"),
      read(`/proc/${process.pid}/environ`),
      write(join(told, "config/openclaw.json")),
      write(join(told, "bin/new")),
      write("/tmp/seawall-shared-test"),
      `require("fs").symlinkSync("${secret}", "${home}/link"); ${read(join(home, "link"))}`,
      `require("fs").renameSync("${told}", "${told}-moved")`,
      exec("id"),
      exec("/usr/bin/id"),
      exec(own),
      listen(0),
      listen(ports.proxy),
      listen(neighbour.ports.gateway),
      `process.kill(${process.pid}, 0)`,
      `const socket = require("dgram").createSocket("udp4"); return await new Promise((resolve, reject) => { socket.on("error", reject); socket.send("x", 53, "127.0.0.1", (error) => error ? reject(error) : resolve("sent")); });`,
      `return await new Promise((resolve, reject) => require("net").createServer().on("error", reject).listen("${home}/socket", () => resolve("bound")));`,
      `return await new Promise((resolve, reject) => require("net").connect("\\0seawall").on("error", reject).on("connect", resolve));`,
    ]) {
      const { outcome } = await run(spec, body);
      assert.match(
        outcome.error ?? `it worked: ${String(outcome.value)}`,
        /^(?:EACCES|EPERM|ENOENT|EAFNOSUPPORT|EPROTONOSUPPORT)$/,
        body,
      );
    }
  },
);

test(
  "nothing that a bot without namespaces starts outlives it, however it tries",
  { skip },
  async (t) => {
    const { paths, held } = setUp(t);
    const { spec } = await prepare(paths, "a", held);
    // A daemon's way: a session of its own, a child of nobody, no descriptor of whoever started it.
    const grandchild = `const c = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" }); console.log(c.pid); c.unref();`;
    const body = `
    const child = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(grandchild)}], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
    return await new Promise((resolve) => child.stdout.once("data", (data) => { child.unref(); child.stdout.destroy(); resolve(Number(data)); }));`;
    const { outcome } = await run(spec, body);
    const pid = Number(outcome.value);
    assert.ok(pid > 1, JSON.stringify(outcome));
    await gone(pid);
    const { together: _, ...alone } = spec;
    const control = Number((await run(alone, body)).outcome.value);
    assert.equal(stateOf(control), "S", "it would have outlived the bot");
    process.kill(control, "SIGKILL");
    await gone(control);
  },
);

/** As proc_pid_stat(5) has it; undefined when it is not there any more. */
function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
    return state === "R" || state === "D" ? "S" : state;
  } catch {
    return undefined;
  }
}

/** It was killed, and ends as soon as the kernel comes to it; who has to wait for it is not us. */
async function gone(pid: number): Promise<void> {
  for (
    let state = stateOf(pid);
    state !== undefined && state !== "Z" && state !== "X";
    state = stateOf(pid)
  )
    await new Promise((resolve) => setImmediate(resolve));
}

test("dialShared() connects to a gateway of the bot's own user only", async (t) => {
  const own = process.getuid?.() ?? -1;
  const server = createServer((socket) => socket.on("error", () => undefined));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const there = await dialShared(port, own);
  assert.ok("handle" in there);
  closeHandle(there.handle);
  assert.deepEqual(await dialShared(port, own + 1), { error: "EACCES" });
  server.close();
  await once(server, "close");
  assert.deepEqual(await dialShared(port, own), { error: "ECONNREFUSED" });
  if (!ROOT) return;
  // Somebody else's process took the port while the bot was away.
  const child = spawn(
    NODE,
    ["-e", `require("net").createServer().listen(${port}, "127.0.0.1", () => console.log("up"))`],
    { stdio: ["ignore", "pipe", "inherit"], ...SUBJECT },
  );
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  assert.deepEqual(await dialShared(port, own), { error: "EACCES" });
  const theirs = await dialShared(port, uid ?? -1);
  assert.ok("handle" in theirs);
  closeHandle(theirs.handle);
});

test("listenerOf() takes who listens at the very address, not a connection that looks alike", () => {
  const row = (local: string, state: string, owner: number) =>
    `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  ${owner}        0 1 1`;
  const table = [
    "  sl  local_address rem_address   st",
    row("0100007F:1F90", "01", 1),
    row("00000000:1F90", "0A", 2),
    row("0100007F:1F90", "0A", 3),
    row("0200007F:1F91", "0A", 4),
  ].join("\n");
  assert.equal(listenerOf(8080, table), 3);
  assert.equal(listenerOf(8081, table), undefined);
  assert.equal(listenerOf(8082, table), undefined);
});

test("requireShared() names all that a bot without namespaces can't have", () => {
  const tcp = { kind: "tcp", name: "imap.example.com", hosts: [] } as const;
  const plan = botPlan({
    grants: [tcp],
    openclaw: { ...botPlan({}).openclaw, plugins: ["@openclaw/discord"], agents: true },
    proxyPort: 3128,
    unknownHosts: "ask",
  });
  assert.throws(() => requireShared(plan), {
    code: "needs-namespaces",
    exitCode: 4,
    message: /"imap\.example\.com".*"@openclaw\/discord".*3128.*"unknownHosts".*"agents"/,
  });
  requireShared(botPlan({}));
});
