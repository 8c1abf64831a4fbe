import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { compileNested } from "./compileNested.ts";
import type { HostCapabilities } from "./HostCapabilities.ts";
import {
  BASE_MOUNTS,
  inside,
  lacking,
  probeSubject,
  SUBJECT,
  temporaryFolder,
} from "./testing/harness.ts";
import { LAUNCHER } from "./testing/reachable.ts";
import { WallError } from "./WallError.ts";
import type { WallSpec } from "./WallSpec.ts";

const host = await probeSubject();
const skip = lacking(host);
const NODE_INSIDE = "/opt/node";
const PORT = 18789;

/** What an agent's tool might try; each gives a value where it works. */
const ATTEMPTS: Readonly<Record<string, string>> = {
  "read another workspace": `fs.readFileSync("/home/bot/agents/b/note", "utf8")`,
  "list the workspaces": `fs.readdirSync("/home/bot/agents").length`,
  "read another workspace by a link": `fs.symlinkSync("../b/note", "link"), fs.readFileSync("link", "utf8")`,
  "link a file of another workspace": `fs.linkSync("/home/bot/agents/b/note", "linked"), fs.readFileSync("linked", "utf8")`,
  "write another workspace": `fs.writeFileSync("/home/bot/agents/b/planted", "x") ?? "written"`,
  "leave the workspace by a move": `fs.writeFileSync("out", "x"), fs.renameSync("out", "/home/bot/agents/b/out") ?? "moved"`,
  "read the bot's state": `fs.readFileSync("/home/bot/state/sessions", "utf8")`,
  "write the bot's state": `fs.writeFileSync("/home/bot/state/planted", "x") ?? "written"`,
  "write /tmp": `fs.writeFileSync("/tmp/planted", "x") ?? "written"`,
  "write shared memory": `fs.writeFileSync("/dev/shm/planted", "x") ?? "written"`,
  "read the gateway's environment": `fs.readFileSync("/proc/" + process.env.GATEWAY + "/environ", "utf8").length > 0`,
  "list processes": `fs.readdirSync("/proc").length > 0`,
  "signal the gateway": `process.kill(Number(process.env.GATEWAY), 0)`,
  "slow the gateway down": `lower(Number(process.env.GATEWAY))`,
  "run what isn't granted to it": `cp.execFileSync("/usr/bin/env", ["true"]).length`,
  "connect by TCP": `await dial({ host: "127.0.0.1", port: ${PORT} })`,
  "send by UDP": `await new Promise((done, fail) => { const s = require("dgram").createSocket("udp4"); s.on("error", fail); s.send("x", 53, "127.0.0.1", (e) => { s.close(); e ? fail(e) : done("sent"); }); })`,
  "connect to a socket by its path": `await dial({ path: "/home/bot/agents/a/socket" })`,
  "connect to an abstract socket": `await dial({ path: "\\0seawall-nested" })`,
  "listen on a socket of its own": `await new Promise((done, fail) => { const s = net.createServer(); s.on("error", fail); s.listen("/home/bot/agents/a/mine", () => s.close(() => done("listened"))); })`,
};

/** And what it is for. */
const WORK: Readonly<Record<string, string>> = {
  "write and read its own": `fs.mkdirSync("sub"), fs.writeFileSync("sub/a", "kept"), fs.renameSync("sub/a", "b"), fs.readFileSync("b", "utf8")`,
  "be in its workspace": `process.cwd()`,
  "start another": `cp.execFileSync(process.execPath, ["-e", "process.stdout.write('started')"], { encoding: "utf8" })`,
};

const SCRIPT = `(async () => {
  const fs = require("fs"), os = require("os"), net = require("net"), cp = require("child_process");
  const dial = (to) => new Promise((done, fail) => { const s = net.connect(to); s.on("error", fail).on("connect", () => { s.destroy(); done("connected"); }); });
  const lower = (pid) => { try { os.setPriority(pid, 1); return "slower"; } catch (error) { throw { code: error.info?.code ?? error.message }; } };
  const said = {};
  for (const [name, code] of Object.entries(JSON.parse(process.env.ATTEMPTS)))
    try { said[name] = { value: await eval("(async () => (" + code + "))()") }; }
    catch (error) { said[name] = { error: error.code ?? error.message }; }
  console.log(JSON.stringify(said));
})()`;

interface Said {
  readonly [name: string]: { readonly value?: unknown; readonly error?: string };
}

function place(t: TestContext, capabilities: HostCapabilities): Partial<WallSpec> {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o755);
  for (const path of ["bot", "bot/agents", "bot/agents/a", "bot/agents/b", "bot/state", "live"])
    mkdirSync(join(folder, path));
  writeFileSync(join(folder, "bot/agents/b/note"), "another's");
  writeFileSync(join(folder, "bot/state/sessions"), "the bot's");
  const { uid = process.getuid?.() ?? 0, gid = process.getgid?.() ?? 0 } = SUBJECT;
  for (const path of ["bot", "bot/agents", "bot/agents/a", "bot/agents/b", "bot/agents/b/note"])
    chownSync(join(folder, path), uid, gid);
  for (const path of ["bot/state", "bot/state/sessions"]) chownSync(join(folder, path), uid, gid);
  const policy = compileNested(
    {
      command: [NODE_INSIDE, "-e", SCRIPT],
      environment: { LANG: "C.UTF-8" },
      pass: ["ATTEMPTS", "GATEWAY"],
      mounts: BASE_MOUNTS.filter(({ kind }) => kind === "read" || kind === "link"),
      execute: [],
    },
    capabilities,
  );
  writeFileSync(join(folder, "live/tools.policy"), policy);
  return {
    mounts: [
      ...BASE_MOUNTS,
      { kind: "read", from: LAUNCHER, to: "/opt/seawall/launch" },
      { kind: "read", from: join(folder, "live"), to: "/etc/seawall/agents" },
      { kind: "write", from: join(folder, "bot"), to: "/home/bot" },
    ],
    execute: ["/opt/seawall/launch", "/usr/bin/env", "/usr/bin/true"],
    network: { tcp: [], udp: [], bind: [PORT] },
  };
}

/** As a gateway would start it: with a server, a socket by path and an abstract one that could be reached. */
function gateway(start: string): string {
  return `
    const net = require("net"), cp = require("child_process");
    const servers = [];
    for (const to of [{ host: "127.0.0.1", port: ${PORT} }, { path: "/home/bot/agents/a/socket" }, { path: "\\0seawall-nested" }]) {
      const server = net.createServer((socket) => socket.destroy());
      await new Promise((done, fail) => server.on("error", fail).listen(to, done));
      servers.push(server);
    }
    const env = { GATEWAY: String(process.pid), ATTEMPTS: ${JSON.stringify(JSON.stringify({ ...ATTEMPTS, ...WORK }))} };
    const said = await new Promise((done, fail) => cp.execFile(${start}, { cwd: "/home/bot/agents/a", env }, (error, out, err) =>
      error ? fail(new Error(err || error.message)) : done(JSON.parse(out))));
    for (const server of servers) server.close();
    return said;`;
}

test(
  "compileNested() holds a tool to its workspace, without a socket, where its bot's wall does not",
  {
    skip,
  },
  async (t) => {
    const control = gateway(`"${NODE_INSIDE}", ["-e", ${JSON.stringify(SCRIPT)}]`);
    const nested = gateway(
      `"/opt/seawall/launch", ["--policy", "/etc/seawall/agents/tools.policy"]`,
    );
    const [without, within] = await Promise.all(
      [control, nested].map((body) => inside(t, host, body, place(t, host))),
    );
    const free = without?.value as Said | undefined;
    const held = within?.value as Said | undefined;
    assert.ok(free !== undefined && held !== undefined, JSON.stringify([without, within]));
    for (const name of Object.keys(ATTEMPTS)) {
      assert.equal(
        free[name]?.error,
        undefined,
        `${name}: the control fails, ${free[name]?.error}`,
      );
      assert.match(
        held[name]?.error ?? "",
        /^(?:EACCES|EPERM|EXDEV)$/u,
        `${name}: ${JSON.stringify(held[name])}`,
      );
    }
    for (const name of Object.keys(WORK)) assert.deepEqual(held[name], free[name], name);
    assert.deepEqual(held["be in its workspace"], { value: "/home/bot/agents/a" });
  },
);

test("compileNested() refuses what it can't enforce", () => {
  const spec = {
    command: ["/bin/true"] as const,
    environment: {},
    pass: [],
    mounts: [],
    execute: [],
  };
  for (const [lacks, code] of [
    [{ landlock: 5 }, "landlock"],
    [{ seccomp: false }, "seccomp"],
    [{ architecture: undefined }, "architecture"],
  ] as const)
    assert.throws(
      () => compileNested(spec, { ...host, ...lacks }),
      (error) => error instanceof WallError && error.code === code,
    );
});
