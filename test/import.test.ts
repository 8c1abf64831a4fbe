import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeInstallation } from "../src/migration/testing/makeInstallation.ts";
import { Desktop, DESKTOP_PROGRAMS } from "../src/secrets/testing/Desktop.ts";
import { needs } from "../src/secrets/testing/storeSetup.ts";
import { runSeawall, type Ran } from "./support/runSeawall.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";
import { testStore } from "./support/testStore.ts";

const MARK = "canary-of-the-import-0123456789";

function runIn(folder: string, env: Readonly<Record<string, string>> = {}) {
  mkdirSync(join(folder, "state"), { recursive: true, mode: 0o700 });
  return (...args: string[]): Promise<Ran> =>
    runSeawall(["secret", ...args], {
      state: join(folder, "state"),
      cwd: folder,
      env: { SEAWALL_STORE: testStore(), ...env },
    });
}

async function names(run: ReturnType<typeof runIn>): Promise<string[]> {
  const { secrets } = JSON.parse((await run("list", "--json")).stdout) as {
    secrets: { name: string }[];
  };
  return secrets.map(({ name }) => name);
}

test("seawall secret import: a .env file, shown first, nothing twice, nothing replaced unasked", async (t) => {
  const folder = temporaryFolder(t);
  const run = runIn(folder);
  const file = join(folder, ".env");
  writeFileSync(file, `ANTHROPIC_API_KEY=${MARK}-1\nOTHER=${MARK}-2\n`);
  const dry = await run("import", file, "--dry-run");
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /anthropic {2}from .*\.env:1/);
  assert.deepEqual(await names(run), []);
  const first = await run("import", file, "--yes");
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(await names(run), ["anthropic", "other"]);
  writeFileSync(file, `ANTHROPIC_API_KEY=${MARK}-1\nOTHER=${MARK}-3\n`);
  const clash = await run("import", file, "--yes");
  assert.equal(clash.code, 1);
  assert.match(clash.stdout, /there already: anthropic/);
  assert.match(clash.stdout, /there with another value: other/);
  const replaced = await run("import", file, "--yes", "--replace");
  assert.equal(replaced.code, 0, replaced.stderr);
  const again = await run("import", file, "--yes");
  assert.equal(again.code, 0, again.stdout);
  assert.match(again.stdout, /^nothing new/);
  for (const { stdout, stderr } of [dry, first, clash, replaced, again])
    assert.ok(!`${stdout}${stderr}`.includes(MARK));
  assert.ok(!readFileSync(join(folder, "state/vault/vault.age"), "latin1").includes(MARK));
});

test("seawall secret import: an OpenClaw folder, which stays as it is", async (t) => {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o711);
  const openclaw = join(folder, "openclaw");
  mkdirSync(openclaw);
  const { canaries } = makeInstallation(openclaw);
  const config = readFileSync(join(openclaw, "openclaw.json"), "utf8");
  const run = runIn(folder);
  const ran = await run("import", openclaw, "--yes");
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(await names(run), [
    "anthropic",
    "cerebras-api-key",
    "google-gemini",
    "groq",
    "telegram",
  ]);
  assert.equal(readFileSync(join(openclaw, "openclaw.json"), "utf8"), config);
  for (const value of Object.values(canaries)) assert.ok(!ran.stdout.includes(value));
});

test(
  "seawall secret import nono: what nono keeps in the real GNOME Keyring",
  needs(...DESKTOP_PROGRAMS, "secret-tool"),
  async (t) => {
    await using desktop = await Desktop.start();
    await desktop.startKeyring("unlocked");
    for (const account of ["openai_api_key", "my_own"]) {
      const words = ["service", "nono", "username", account];
      const tool = spawn("secret-tool", ["store", `--label=nono: ${account}`, ...words], {
        env: desktop.environment,
        stdio: ["pipe", "ignore", "ignore"],
      });
      tool.stdin.end(`${MARK}-${account}`);
      assert.deepEqual(await once(tool, "close"), [0, null]);
    }
    const run = runIn(temporaryFolder(t), desktop.environment);
    const ran = await run("import", "nono", "--yes");
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(await names(run), ["my-own", "openai"]);
    assert.ok(!ran.stdout.includes(MARK));
  },
);
