import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Machine } from "../../support/Machine.ts";

/** What a child of the gateway's said. */
interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const HOME = "/srv/bot";
const WORKSPACE = `${HOME}/agents/ops`;
const STATE = "/var/lib/seawall/system/bots/basecamp";

/** What an agent's tool might try; each gives a value where it works. */
const ATTEMPTS: Readonly<Record<string, string>> = {
  "read another workspace": `fs.readFileSync("${HOME}/agents/other/note.md", "utf8")`,
  "list the workspaces": `fs.readdirSync("${HOME}/agents").length`,
  "read another workspace by a link": `fs.symlinkSync("../other/note.md", "link"), fs.readFileSync("link", "utf8")`,
  "write into another workspace": `fs.writeFileSync("${HOME}/agents/other/planted", "x")`,
  "write beside the workspaces": `fs.writeFileSync("${HOME}/planted", "x")`,
  "read the bot's state": `fs.readFileSync("${HOME}/state/sessions.json", "utf8")`,
  "read the configuration": `fs.readFileSync("/etc/seawall/openclaw.json", "utf8").length`,
  "read the CAs": `fs.readFileSync("/etc/ssl/certs/ca-certificates.crt", "utf8").length`,
  "read the plugin": `fs.readFileSync("/etc/seawall/tools/index.mjs", "utf8").length`,
  "write where others write": `fs.writeFileSync("/tmp/planted", "x")`,
  "look at processes": `fs.readdirSync("/proc").length`,
  "read its own process": `fs.readFileSync("/proc/self/status", "utf8").length`,
  "reach the gateway by a signal": `process.kill(process.ppid, 0)`,
  "reach the gateway's port": `await dial({ host: "127.0.0.1", port: 18789 })`,
  "reach the broker": `await dial({ host: "9.9.9.9", port: 443 })`,
  "reach the broker's socket": `await dial({ path: "/run/broker/socket" })`,
  "send a datagram": `await new Promise((done, fail) => { const s = dgram.createSocket("udp4"); s.on("error", fail); s.send("x", 53, "127.0.0.1", (e) => { s.close(); e ? fail(e) : done("sent"); }); })`,
  "listen on a socket of its own": `await new Promise((done, fail) => { const s = net.createServer(); s.on("error", fail); s.listen("${WORKSPACE}/mine", () => s.close(() => done("listened"))); })`,
  "start a client command": `run("/usr/bin/bridge", "--help")`,
  "start another wall": `run("/opt/seawall/launch", "--policy", "/etc/seawall/tools/files.policy")`,
  "start the gateway's Node": `run("/opt/node/bin/node", "--version")`,
};

/** And what it is for. */
const WORK: Readonly<Record<string, string>> = {
  "be in its workspace": "process.cwd()",
  "write, rename and read its own": `fs.mkdirSync("sub"), fs.writeFileSync("sub/a", "kept"), fs.renameSync("sub/a", "b"), fs.rmdirSync("sub"), fs.readFileSync("b", "utf8")`,
  "start a granted command": `run("/usr/bin/cat", "b")`,
};

const SCRIPT = `(async () => {
  const fs = require("fs"), net = require("net"), dgram = require("dgram"), cp = require("child_process");
  const dial = (to) => new Promise((done, fail) => { const s = net.connect(to); s.on("error", fail).on("connect", () => { s.destroy(); done("connected"); }); });
  const run = (...words) => { const { error, status, stdout } = cp.spawnSync(words[0], words.slice(1), { encoding: "utf8" }); if (error) throw error; return [status, stdout]; };
  const said = {};
  for (const [name, code] of Object.entries(${JSON.stringify({ ...ATTEMPTS, ...WORK })}))
    try { said[name] = { value: await eval("(async () => (" + code + "))()") ?? true }; }
    catch (error) { said[name] = { error: error.code ?? error.message }; }
  for (const path of ["link", "b"]) fs.rmSync(path, { force: true });
  console.log(JSON.stringify(said));
})()`;

/**
 * Attacks, on a booted machine, what an agent's tools are started by there: the policies of the generation in
 * force, in the gateway's own unit. The bot is `basecamp`, has agents, and is granted node, cat and ls.
 *
 * @param inside what a child of its gateway's says
 */
export async function attackServiceTools(
  machine: Pick<Machine, "tree" | "run">,
  inside: (...words: readonly string[]) => Promise<Said>,
): Promise<void> {
  const host = join(machine.tree, STATE);
  const { code, stderr } = await machine.run([
    "sh",
    "-euc",
    `cd ${STATE}; mkdir -p state agents/ops agents/other; echo theirs > agents/other/note.md; echo {} > state/sessions.json
     cat > agents/ops/attack.cjs; chown -R "$(stat -c %u:%g .)" state agents`,
  ]);
  assert.equal(code, 0, stderr);
  writeFileSync(join(host, "agents/ops/attack.cjs"), SCRIPT);
  const wall = (policy: string, variable: string, text: string): Promise<Said> =>
    inside(
      "/usr/bin/sh",
      "-c",
      `cd ${WORKSPACE} && ${variable}="$0" exec /opt/seawall/launch --policy /etc/seawall/tools/${policy}`,
      text,
    );
  const parse = ({
    stdout,
    stderr: said,
  }: Said): Record<string, { value?: unknown; error?: string }> => {
    assert.ok(stdout.startsWith("{"), stdout + said);
    return JSON.parse(stdout) as Record<string, { value?: unknown; error?: string }>;
  };
  const free = parse(
    await inside("/usr/bin/sh", "-c", `cd ${WORKSPACE} && exec /usr/bin/node attack.cjs`),
  );
  const held = parse(await wall("tools.policy", "SEAWALL_SCRIPT", "exec node attack.cjs"));
  for (const name of Object.keys(ATTEMPTS)) {
    assert.equal(free[name]?.error, undefined, `${name}: the control fails`);
    assert.match(held[name]?.error ?? JSON.stringify(held[name]), /^(?:EACCES|EPERM)$/, name);
  }
  for (const name of Object.keys(WORK)) assert.deepEqual(held[name], free[name], name);
  const file = async (path: string): Promise<string> =>
    (await wall("files.policy", "SEAWALL_JOB", JSON.stringify({ do: "read", path }))).stdout;
  assert.match(await file(`${WORKSPACE}/attack.cjs`), /"canonical".*\n\(async/);
  assert.match(await file(`${HOME}/agents/other/note.md`), /^\{"error":.*"code":"EACCES"\}\n$/);
  // Neither of the policies is the bot's to change.
  const write = `echo x > /etc/seawall/tools/tools.policy`;
  assert.notEqual((await inside("/usr/bin/sh", "-c", write)).status, 0);
}
