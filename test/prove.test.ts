import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { builtInProfiles } from "../src/profiles/index.ts";
import { attacks, GROUPS, type ProveReport } from "../src/prove/index.ts";
import { findChromium } from "../src/services/index.ts";
import { freePort } from "./support/Deployment.ts";
import { assertFailed } from "./support/failures.ts";
import { lacksPlace } from "./support/lacking.ts";
import { asUser, lacksUser } from "./support/ordinaryUser.ts";
import { runSeawall, type Ran } from "./support/runSeawall.ts";
import { declareNoBots, declareOneBot } from "./support/simpleDeclaration.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";
import { testStore } from "./support/testStore.ts";

const MAIN = resolve(import.meta.dirname, "../src/cli/main.ts");

/** A folder for what runs plant, by which others that run at the same time aren't seen. */
function plantingGround(t: TestContext): string {
  const folder = temporaryFolder(t);
  // Bots have uids of their own; they have to get to theirs.
  chmodSync(folder, 0o755);
  return folder;
}

async function run(state: string, args: readonly string[], ground: string): Promise<Ran> {
  const env = { SEAWALL_STORE: testStore(), TMPDIR: ground };
  return runSeawall(["prove", ...args], { state, env });
}

function reportOf({ stdout, stderr }: Ran): ProveReport {
  assert.ok(stdout.startsWith("{"), stdout + stderr);
  return JSON.parse(stdout) as ProveReport;
}

test("nothing gets out of an OpenClaw bot's wall, while a deployment runs beside it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "seawall-test-"));
  const state = join(folder, "state");
  mkdirSync(state);
  const options = { state, env: { SEAWALL_STORE: testStore() } };
  const ground = plantingGround(t);
  const up = await runSeawall(["up", declareNoBots(folder, "none.json5")], options);
  assert.equal(up.code, 0, up.stderr);
  t.after(async () => {
    await runSeawall(["down"], options);
    rmSync(folder, { recursive: true, force: true });
  });
  const browser = findChromium() !== undefined || process.env["CI"] === "true";
  const other = {
    openclaw: "2026.9.6",
    model: "anthropic/claude-sonnet-4-6",
    grants: { anthropic: { secret: "anthropic" }, bridge: {} },
    port: await freePort(),
  };
  const file = declareOneBot(
    folder,
    await freePort(),
    {
      exec: { allow: ["ls", "cat", "gitea-api"] },
      proxy: 3128,
      grants: {
        anthropic: { secret: "anthropic", limits: { callsPerMinute: 1 } },
        "api.example.com": { tunnel: 443 },
        gitea: { secret: "forge", url: "https://git.example.com" },
        bridge: { to: ["other"] },
        ...(browser ? { "browser-fetch": { allowHosts: ["*"] } } : {}),
      },
    },
    { secrets: { forge: { vault: "forge" } }, bots: { other } },
  );
  const ran = await run(state, ["a", "--file", file, "--json"], ground);
  const report = reportOf(ran);
  assert.deepEqual(
    report.attacks.filter(({ held }) => !held),
    [],
  );
  assert.deepEqual([ran.code, report.ok], [0, true]);
  assert.deepEqual(Object.keys(report), ["ok", "attacks", "seconds"]);
  assert.deepEqual(
    report.attacks.map(({ name }) => name).toSorted(),
    attacks.map(({ name }) => name).toSorted(),
  );
  for (const attack of report.attacks)
    assert.deepEqual(Object.keys(attack), ["name", "group", "held", "layer", "detail"]);
  // What doesn't apply is little, and none of it is among what a bot with a grant has.
  const inapplicable = report.attacks.filter(({ layer }) => layer === "inapplicable");
  assert.ok(
    inapplicable.every(
      ({ name }) =>
        ["multicall", "kernel-memory", "32-bit-calls"].includes(name) ||
        (!browser && name.startsWith("browser-")),
    ),
    JSON.stringify(inapplicable),
  );
  const running = await runSeawall(["status", "--json"], options);
  assert.equal((JSON.parse(running.stdout) as { generation: number }).generation, 1);
  assert.deepEqual(readdirSync(ground), []);
});

test("attacks that something lets through are told, and the exit code is 1", async (t) => {
  const state = temporaryFolder(t);
  const ground = plantingGround(t);
  const names =
    "own-program,host-loopback,owner-keys,own-environment,leaked-descriptors,shell-files";
  const ran = await run(state, ["--command", "{}", "--only", names], ground);
  assert.equal(ran.code, 1, ran.stderr);
  for (const name of names.split(",")) assert.match(ran.stdout, new RegExp(`${name} +THROUGH`));
  assert.match(ran.stdout, /^6 attacks, 6 got through; took [\d.]+ s$/m);
  assert.deepEqual(readdirSync(ground), []);
});

test("a command is attacked as it is: plain bubblewrap keeps writers out and lets readers in", async (t) => {
  const state = temporaryFolder(t);
  const only = "owner-keys,shell-files,host-loopback,unix-socket,domain-fronting";
  const text = "bwrap --ro-bind / / --unshare-all {}";
  const report = reportOf(
    await run(state, ["--json", "--command", text, "--only", only], plantingGround(t)),
  );
  const held = Object.fromEntries(report.attacks.map(({ name, layer }) => [name, layer]));
  assert.deepEqual(held, {
    "owner-keys": "none",
    "host-loopback": "network namespace",
    "unix-socket": "none",
    "domain-fronting": "inapplicable",
    "shell-files": "read-only mount",
  });
  assert.equal(report.ok, false);
});

test("a command may take the attacks as one text", async (t) => {
  const state = temporaryFolder(t);
  const report = reportOf(
    await run(
      state,
      ["--json", "--command", 'sh -c "exec {}"', "--only", "execution"],
      plantingGround(t),
    ),
  );
  assert.ok(report.attacks.some(({ layer }) => layer === "none"));
});

test("what is called wrongly is refused before anything is planted", async (t) => {
  const folder = temporaryFolder(t);
  const file = declareOneBot(folder, 18_789);
  const ground = plantingGround(t);
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [["--command", "bwrap --ro-bind / /"], 2, /has no \{\} for the attacks/],
    [["--command", "sh -c '{}"], 2, /a quote in the command is never finished/],
    [["--command", "/nonexistent/tool {}"], 5, /"\/nonexistent\/tool" can't be started/],
    [["--command", "false {}"], 5, /the attacks could not be started: it ended with 1/],
    [["a", "--command", "{}"], 2, /a command has no bot/],
    [["--command", "{}", "--only", "nothing-like-it"], 2, /there is no attack "nothing-like-it"/],
    [["b", "--file", file], 2, /there is no bot "b"/],
    [["--file", join(folder, "other.json5")], 2, /is not there/],
    [[], 2, /there is no seawall\.json5 here/],
  ];
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(elsewhere);
  for (const [args, code, message] of cases)
    assertFailed(
      await runSeawall(["prove", ...args], {
        state: folder,
        cwd: elsewhere,
        env: {
          SEAWALL_STORE: testStore(),
          HOME: elsewhere,
          XDG_CONFIG_HOME: elsewhere,
          TMPDIR: ground,
        },
      }),
      code,
      message,
    );
  const none = join(folder, "none.json5");
  writeFileSync(none, "{ seawall: 1, bots: {} }");
  assertFailed(await run(folder, ["--file", none], ground), 2, /the declaration has no bot/);
  assert.deepEqual(readdirSync(ground), []);
});

test("an interrupt ends the attacks and leaves nothing behind", async (t: TestContext) => {
  const ground = plantingGround(t);
  const child = spawn(process.execPath, [MAIN, "prove", "--command", "{}"], {
    cwd: "/",
    env: { ...process.env, SEAWALL_STATE: temporaryFolder(t), TMPDIR: ground },
    stdio: ["ignore", "ignore", "pipe"],
  });
  await once(child.stderr, "data");
  const [planted = ""] = readdirSync(ground);
  const shared = `/dev/shm/${planted.toLowerCase()}`;
  assert.ok(planted.startsWith("seawall-prove-") && existsSync(shared));
  child.kill("SIGINT");
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  assert.deepEqual([code, signal], [null, "SIGINT"]);
  assert.ok(!existsSync(shared));
  assert.deepEqual(readdirSync(ground), []);
});

for (const profile of builtInProfiles.keys())
  test(`nothing gets out of the built-in profile ${profile}`, { skip: lacksPlace }, async (t) => {
    const ground = plantingGround(t);
    const ran = await run(temporaryFolder(t), ["--profile", profile, "--json"], ground);
    const { ok, attacks: tried } = reportOf(ran);
    assert.equal(tried.length, attacks.length);
    assert.deepEqual(
      tried.filter(({ held }) => !held),
      [],
    );
    assert.deepEqual([ran.code, ok], [0, true]);
    assert.deepEqual(readdirSync(ground), []);
  });

test("an ordinary user can do it too", { skip: lacksUser() }, async (t) => {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o777);
  const ran = await runSeawall(
    ["prove", "--json", "--command", "{}", "--only", "owner-keys,mount,user-namespace"],
    { state: folder, env: { HOME: folder }, through: asUser },
  );
  const layers = reportOf(ran).attacks.map(({ name, layer }) => [name, layer]);
  assert.deepEqual(layers, [
    ["owner-keys", "none"],
    ["mount", "capabilities"],
    ["user-namespace", "none"],
  ]);
});

test(
  "a built-in profile's limits hold for an ordinary user too",
  { skip: lacksPlace === false ? lacksUser() : lacksPlace },
  async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o777);
    const only = ["fork-bomb", "memory", "large-file", "descriptors", "through-loader"];
    const ran = await runSeawall(
      ["prove", "--json", "--profile", "node", "--only", only.join(",")],
      {
        state: folder,
        env: { HOME: folder },
        through: asUser,
      },
    );
    const report = reportOf(ran);
    assert.deepEqual(
      report.attacks.filter(({ held }) => !held),
      [],
    );
    assert.equal(report.attacks.length, only.length);
  },
);

test("docs/compared.md has a line for every attack", () => {
  const text = readFileSync(resolve(import.meta.dirname, "../docs/compared.md"), "utf8");
  const listed = [...text.matchAll(/^\| `([a-z0-9-]+)` +\|/gm)].map(([, name = ""]) => name);
  assert.deepEqual(listed.toSorted(), attacks.map(({ name }) => name).toSorted());
});

test("docs/prove.md lists every attack, by group, with what it tries", () => {
  const text = readFileSync(resolve(import.meta.dirname, "../docs/prove.md"), "utf8");
  const listed = [...text.matchAll(/^\| `([a-z0-9-]+)` +\| (.+?) +\|$/gm)].map(
    ([, name = "", tries = ""]) => [name, tries],
  );
  const wanted = GROUPS.flatMap((group) =>
    attacks
      .filter((attack) => attack.group === group)
      .map(({ name, tries }) => [name, tries.replaceAll("|", "\\|")]),
  );
  assert.deepEqual(listed, wanted);
  assert.ok(attacks.length >= 60);
  for (const group of GROUPS) assert.ok(text.includes(`\n### ${group}\n`), group);
});
