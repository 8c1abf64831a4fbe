import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { temporaryFolder } from "../../test/support/temporaryFolder.ts";
import { renderConfig } from "../openclaw/index.ts";
import { botPlan } from "../openclaw/testing/testBot.ts";
import { testOpenClaw } from "../openclaw/testing/testOpenClaw.ts";
import { lacking, probeSubject, start, SUBJECT } from "../wall/testing/harness.ts";
import { LAUNCHER } from "../wall/testing/reachable.ts";
import { makeAgentsFolder } from "./agentsFolder.ts";
import { botWall, type BotWallInput } from "./botWall.ts";
import { INSIDE } from "./inside.ts";
import { putToolPolicies } from "./toolPolicies.ts";

const capabilities = await probeSubject();
const { pin, installed } = await testOpenClaw();

/** As OpenClaw does with an agent that has a sandbox, with its own registry of them and our plugin. */
const GATEWAY = `
  import { spawn } from "node:child_process";
  const plugin = await import("/etc/seawall/tools/index.mjs");
  const sdk = await import("/opt/openclaw/node_modules/openclaw/dist/plugin-sdk/sandbox.js");
  plugin.default.register({ rootDir: "/etc/seawall/tools" });
  const open = (workspaceDir, more) => sdk.requireSandboxBackendFactory("seawall")({
    workspaceDir, agentWorkspaceDir: workspaceDir, skillsWorkspaceDir: "/home/bot/state/skills",
    sessionKey: "agent:a:main", scopeKey: "agent:a",
    cfg: { backend: "seawall", scope: "agent", workspaceAccess: "rw", docker: {} }, ...more });
  const handle = await open("/home/bot/agents/a");
  const exec = async (command, { workdir, env = {} } = {}) => {
    const spec = await handle.buildExecSpec({ command, workdir: workdir ?? handle.workdir, env, usePty: false });
    const child = spawn(spec.argv[0], spec.argv.slice(1), { env: spec.env, cwd: spec.cwd, stdio: ["ignore", "pipe", "pipe"] });
    let out = "", err = "";
    child.stdout.on("data", (part) => (out += part));
    child.stderr.on("data", (part) => (err += part));
    const code = await new Promise((done) => child.on("close", done));
    return { code, out, err };
  };
  const files = handle.createFsBridge({ sandbox: { skillsWorkspaceDir: "/home/bot/state/skills" } });
  const said = {};
  const tries = async (name, act) => {
    try { said[name] = await act() ?? null; } catch (error) { said[name] = "refused: " + (error.code ?? error.message); }
  };
  const text = async (filePath) => (await files.readFile({ filePath })).toString();
`;

async function gateway(t: TestContext, body: string): Promise<Record<string, unknown>> {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o711);
  const home = join(folder, "home");
  for (const path of ["agents/a", "agents/b", "state/skills/skills/hello"])
    mkdirSync(join(home, path), { recursive: true });
  writeFileSync(join(home, "agents/b/note.md"), "another's");
  writeFileSync(join(home, "state/sessions.json"), "the bot's");
  writeFileSync(join(home, "state/skills/skills/hello/SKILL.md"), "a skill");
  const { uid = process.getuid?.() ?? 0, gid = process.getgid?.() ?? 0 } = SUBJECT;
  for (const path of [".", "agents", "agents/a", "agents/b", "agents/b/note.md", "state"])
    chownSync(join(home, path), uid, gid);
  const plan = botPlan({ commands: ["cat", "ls", "sleep"] });
  const bot = { ...plan, openclaw: { ...plan.openclaw, agents: true as const } };
  const agents = makeAgentsFolder(folder, plan.name);
  const input: BotWallInput = {
    plan: bot,
    bot: {
      openclaw: { root: installed.root, entry: installed.entry },
      rendered: renderConfig(bot, INSIDE, pin),
      commands: ["cat", "ls", "sleep"].map((name) => ({ name, path: `/usr/bin/${name}` })),
      cas: {},
    },
    programs: { node: process.execPath, launcher: LAUNCHER, shell: "/bin/sh" },
    home,
    trust: "",
    variables: { ANTHROPIC_API_KEY: "a-phantom" },
    boundsMemory: false,
    agents,
  };
  const policies = join(folder, "policies");
  const names = putToolPolicies(policies, input, capabilities);
  const spec = botWall({ ...input, policies: { folder: policies, names } });
  const script = `${GATEWAY}${body}\n  console.log(JSON.stringify(said));`;
  const started = start(t, capabilities, {
    ...spec,
    command: [INSIDE.node, "--no-warnings", "--input-type=module", "-e", script],
    network: { tcp: [], udp: [], bind: [] },
    limits: {},
  });
  const exit = await started.finished;
  const line = started.output().trim().split("\n").at(-1) ?? "";
  assert.ok(line.startsWith("{"), `${started.errors()} ${JSON.stringify(exit)}`);
  return JSON.parse(line) as Record<string, unknown>;
}

/** One gateway for both: OpenClaw's code takes seconds to load. */
const WORK = `
    await tries("its own", () => exec("echo $HOME \\"$TMPDIR\\" $GIVEN; cat > new.md < /dev/null; ls", { env: { GIVEN: "it's given" } }));
    await tries("exit", () => exec("exit 7"));
    await tries("folder", async () => { await files.mkdirp({ filePath: "sub/deep" }); return await exec("pwd", { workdir: "/home/bot/agents/a/sub" }); });
    await tries("write", () => files.writeFile({ filePath: "sub/x.md", data: "written" }));
    await tries("read", () => text("sub/x.md"));
    await tries("rewrite", async () => { await files.writeFile({ filePath: "sub/x.md", data: "less" }); return await text("/home/bot/agents/a/sub/x.md"); });
    await tries("exclusive", async () => [await files.createFileExclusive({ filePath: "sub/x.md", data: "y" }), await files.createFileExclusive({ filePath: "sub/y.md", data: "y" })]);
    await tries("list", () => files.readDirectory({ filePath: "sub" }));
    await tries("stat", async () => [(await files.stat({ filePath: "sub/x.md" })).size, await files.stat({ filePath: "none" })]);
    await tries("rename", async () => { await files.rename({ from: "sub/x.md", to: "z.md" }); return await text("z.md"); });
    await tries("remove", async () => { await files.remove({ filePath: "sub", recursive: true }); return await files.stat({ filePath: "sub" }); });
    await tries("skill", () => text(".openclaw/sandbox-skills/skills/hello/SKILL.md"));
    await tries("script", async () => (await handle.runShellCommand({ script: 'cat "$1" -', args: ["z.md"], stdin: "+" })).stdout.toString());
`;

const ATTACKS = `
    const fs = await import("node:fs");
    // The control: the bot's own process may.
    await tries("control", () => [fs.readFileSync("/home/bot/agents/b/note.md", "utf8"), fs.readFileSync("/home/bot/state/sessions.json", "utf8"), fs.readFileSync("/etc/seawall/openclaw.json", "utf8").length > 0]);
    for (const path of ["/home/bot/agents/b/note.md", "/home/bot/state/sessions.json", "/etc/seawall/openclaw.json", "/proc/self/environ", "/proc/1/environ"])
      await tries("exec " + path, () => exec("cat " + path));
    await tries("environment", async () => (await exec("export -p")).out.includes("a-phantom"));
    await tries("node", () => exec("/opt/node/bin/node --version"));
    await tries("launcher", () => exec("/opt/seawall/launch --policy /etc/seawall/tools/files.policy"));
    fs.symlinkSync("../b/note.md", "/home/bot/agents/a/link");
    fs.symlinkSync("../b", "/home/bot/agents/a/folder");
    for (const path of ["../b/note.md", "/home/bot/state/sessions.json", "link", "folder/note.md", ".openclaw/sandbox-skills/skills/../../../../b/note.md"])
      await tries("read " + path, () => text(path));
    await tries("write link", () => files.writeFile({ filePath: "link", data: "x" }));
    await tries("write folder", () => files.writeFile({ filePath: "folder/planted", data: "x" }));
    await tries("write pinned", () => files.writeFile({ filePath: "x", pinnedPath: "/home/bot/agents/b/x", data: "x" }));
    await tries("rename out", async () => { await files.writeFile({ filePath: "x", data: "x" }); await files.rename({ from: "x", to: "folder/x" }); });
    await tries("write a skill", () => files.writeFile({ filePath: ".openclaw/sandbox-skills/skills/hello/SKILL.md", data: "x" }));
    await tries("workdir", () => exec("ls", { workdir: "/home/bot/agents/b" }));
    await tries("quoted workdir", () => exec("ls", { workdir: "/home/bot/agents/b'; cat note.md; '" }));
    await tries("variable", () => exec("ls", { env: { "X; cat ../b/note.md": "x", PATH: "/home/bot/agents/b" } }));
    for (const [name, more] of [["copy", { agentWorkspaceDir: "/home/bot/agents/b" }], ["read-only", { cfg: { scope: "agent", workspaceAccess: "ro", docker: {} } }], ["binds", { cfg: { scope: "agent", workspaceAccess: "rw", docker: { binds: ["/:/x"] } } }]])
      await tries("open " + name, () => open("/home/bot/agents/a", more).then(() => "opened"));
    await tries("open the state", () => open("/home/bot/state").then(() => "opened"));
    fs.symlinkSync("../state", "/home/bot/agents/c");
    await tries("open a link", () => open("/home/bot/agents/c").then(() => "opened"));
    // Somebody puts another folder in its place while it is in use.
    fs.renameSync("/home/bot/agents/a", "/home/bot/agents/gone");
    fs.symlinkSync("b", "/home/bot/agents/a");
    await tries("exec replaced", () => exec("cat note.md"));
    await tries("read replaced", () => text("note.md"));
    said.untouched = [fs.readFileSync("/home/bot/agents/b/note.md", "utf8"), fs.readdirSync("/home/bot/agents/b")];
`;

test(
  "an agent's tools work in a wall of their own, by OpenClaw's own registry of sandboxes, and reach nothing else",
  {
    skip: lacking(capabilities),
  },
  async (t) => {
    const all = await gateway(
      t,
      `${WORK} const works = { ...said }; for (const name of Object.keys(said)) delete said[name]; ${ATTACKS} said.works = works;`,
    );
    const { works, ...said } = all;
    const at = "/home/bot/agents/a";
    assert.deepEqual(works, {
      "its own": { code: 0, out: `${at} ${at} it's given\nnew.md\n`, err: "" },
      exit: { code: 7, out: "", err: "" },
      folder: { code: 0, out: `${at}/sub\n`, err: "" },
      write: null,
      read: "written",
      rewrite: "less",
      exclusive: ["exists", "created"],
      list: [
        { name: "deep", isDirectory: true },
        { name: "x.md", isDirectory: false },
        { name: "y.md", isDirectory: false },
      ],
      stat: [4, null],
      rename: "less",
      remove: null,
      skill: "a skill",
      script: "less+",
    });
    const { control, environment, untouched, variable, ...refused } = said;
    assert.deepEqual(control, ["another's", "the bot's", true]);
    assert.equal(environment, false);
    assert.deepEqual(untouched, ["another's", ["note.md"]]);
    // What is no variable isn't set, and the path stays the wall's.
    assert.equal((variable as { code: number }).code, 0);
    for (const [name, what] of Object.entries(refused)) {
      const text = typeof what === "string" ? what : JSON.stringify(what);
      const { code, out } = (typeof what === "object" ? what : {}) as {
        code?: number;
        out?: string;
      };
      const held = text.startsWith("refused: ") || ((code ?? 0) !== 0 && out === "");
      assert.ok(held, `${name}: ${text}`);
    }
  },
);

test("putToolPolicies() takes away what this kernel can't enforce", (t) => {
  const folder = temporaryFolder(t);
  const plan = botPlan({ commands: ["cat"] });
  const bot = { ...plan, openclaw: { ...plan.openclaw, agents: true as const } };
  const input: BotWallInput = {
    plan: bot,
    bot: {
      openclaw: { root: installed.root, entry: installed.entry },
      rendered: renderConfig(bot, INSIDE, pin),
      commands: [{ name: "cat", path: "/usr/bin/cat" }],
      cas: {},
    },
    programs: { node: process.execPath, launcher: LAUNCHER, shell: "/bin/sh" },
    home: folder,
    trust: "",
    variables: {},
    boundsMemory: false,
  };
  const whole = { ...capabilities, landlock: 7, seccomp: true, architecture: "x86_64" as const };
  putToolPolicies(folder, input, whole);
  assert.equal(readFileSync(join(folder, "files.policy"), "latin1").slice(0, 7), "seawall");
  assert.equal(readFileSync(join(folder, "tools.policy"), "latin1").slice(0, 7), "seawall");
  putToolPolicies(folder, input, { ...whole, landlock: 5 });
  assert.throws(() => readFileSync(join(folder, "files.policy")), { code: "ENOENT" });
  assert.throws(() => readFileSync(join(folder, "tools.policy")), { code: "ENOENT" });
});
