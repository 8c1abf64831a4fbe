import assert from "node:assert/strict";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Deployment, freePort } from "../support/Deployment.ts";
import { runOpenClaw } from "../support/runOpenClaw.ts";

interface Declared {
  bots: Record<string, { grants: Record<string, object>; port: number; model: string }>;
}

test("an installation made by OpenClaw itself is adopted, answers with phantoms only, and is put back", async (t) => {
  await using deployment = await Deployment.make();
  const { folder, canaries, standIns } = deployment;
  await deployment.ok(["secret", "rm", "anthropic"]);
  await deployment.ok(["secret", "rm", "telegram"]);
  const home = join(folder, "home");
  const openclaw = join(home, ".openclaw");
  const config = join(openclaw, "openclaw.json");
  mkdirSync(home, { mode: 0o700 });
  const skips = ["daemon", "health", "ui", "search", "skills", "hooks"].map(
    (what) => `--skip-${what}`,
  );
  const key = ["--auth-choice", "apiKey", "--anthropic-api-key", canaries.anthropic];
  await runOpenClaw(home, [
    "onboard",
    "--non-interactive",
    "--accept-risk",
    ...key,
    ...skips,
    "--json",
  ]);
  // As `channels add` writes it (docs/openclaw.md), and a person edits it.
  const settings = JSON.parse(readFileSync(config, "utf8")) as {
    agents: { defaults: { model: object } };
    channels?: object;
    gateway: { port: number };
  };
  settings.agents.defaults.model = { primary: "anthropic/claude-sonnet-4-6" };
  settings.channels = {
    telegram: {
      enabled: true,
      botToken: canaries.telegram,
      dmPolicy: "allowlist",
      allowFrom: [standIns.telegram.userId],
    },
  };
  settings.gateway.port = await freePort();
  writeFileSync(config, `// my own words\n${JSON.stringify(settings, null, 2)}\n`);
  writeFileSync(join(openclaw, "workspace/MEMORY.md"), "The password of the shed is swordfish.\n");
  const before = contents(openclaw);
  const values = Object.values(canaries);
  assert.ok(before.some(({ path }) => path.endsWith("openclaw.sqlite")));

  const dry = await deployment.ok(["secret", "adopt", openclaw, "--dry-run", "--json"]);
  assert.deepEqual(contents(openclaw), before);
  for (const value of values) assert.ok(!dry.includes(value));
  await deployment.ok(["secret", "adopt", openclaw, "--yes", "--bot", "mine"]);

  await t.test("nothing real is left in it, nor in the bot's folder", async () => {
    for (const { path, text } of [...contents(openclaw), ...contents(deployment.state)])
      for (const value of values) assert.ok(!text.includes(value), path);
    const report = await deployment.ok([
      "secret",
      "scan",
      openclaw,
      join(deployment.state, "bots/mine"),
      "--json",
    ]);
    const { findings, unread, values: known } = JSON.parse(report) as Record<string, unknown>;
    assert.deepEqual({ findings, unread, known }, { findings: [], unread: [], known: 2 });
  });

  await t.test("the bot answers through the broker", async () => {
    const file = join(folder, "seawall.json5");
    const text = readFileSync(file, "utf8");
    const declared = JSON.parse(text.slice(text.indexOf("\n"))) as Declared;
    const bot = declared.bots["mine"];
    assert.ok(bot !== undefined);
    assert.equal(bot.model, "anthropic/claude-sonnet-4-6");
    assert.equal(bot.port, settings.gateway.port);
    // The stand-ins take the services' places; all else is as it was written.
    for (const [name, server] of Object.entries({
      anthropic: standIns.anthropic,
      telegram: standIns.telegram,
    })) {
      const dial = { host: server.host, port: server.port, ca: "stand-ins.pem" };
      Object.assign(bot.grants[name] ?? {}, { dial });
    }
    writeFileSync(file, JSON.stringify(declared));
    await deployment.ok(["up"]);
    assert.match(await deployment.converse("Which word comes after pebble?"), /seawall/);
    const [memory] = globSync("bots/mine/workspace/MEMORY.md", { cwd: deployment.state });
    assert.match(readFileSync(join(deployment.state, memory ?? ""), "utf8"), /swordfish/);
    await deployment.ok(["down"]);
    for (const { path, text: bytes } of contents(deployment.state))
      for (const value of values) assert.ok(!bytes.includes(value), path);
  });

  await t.test("and all of it can be put back", async () => {
    await deployment.ok(["secret", "adopt", openclaw, "--undo"]);
    assert.deepEqual(contents(openclaw), before);
    const { secrets } = JSON.parse(await deployment.ok(["secret", "list", "--json"])) as {
      secrets: unknown[];
    };
    assert.deepEqual(secrets, []);
  });
});

function contents(folder: string): { readonly path: string; readonly text: string }[] {
  return globSync("**/{*,.*}", { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(path, "latin1") }));
}
