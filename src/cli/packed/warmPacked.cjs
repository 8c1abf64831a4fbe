"use strict";
// Calls usual commands of what is packed and keeps what V8 has compiled by then: functions that were
// never called would be compiled anew at each start. Started by makePacked.ts.
const { mkdtempSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

const folder = mkdtempSync(join(tmpdir(), "seawall-pack-"));
const declaration = join(folder, "seawall.json5");
process.env.SEAWALL_STATE = join(folder, "state");
process.env.SEAWALL_STORE = join(folder, "store");

// Whatever becomes of the commands here, their code was compiled.
const COMMANDS = [
  ["run", "--", "true"],
  ["run", "--", "true"],
  ["run", "--no-such-flag"],
  ["--help"],
  ["status"],
  ["secret", "list"],
  ["plan", declaration],
];

void main().finally(() => rmSync(folder, { recursive: true, force: true }));

async function main() {
  writeFileSync(
    declaration,
    `{ seawall: 1, secrets: { anthropic: { vault: "anthropic" } },
       bots: { bot: { openclaw: "2026.9.6", model: "anthropic/claude-sonnet-4-6", grants: { anthropic: { secret: "anthropic" } } } } }`,
  );
  const start = require("../start.cjs");
  for (const command of COMMANDS) await start.main(command).catch(() => undefined);
  const scripts = new Map(start.loaded.map(({ script, filename }) => [filename, script]));
  for (const [filename, script] of scripts) {
    const file = filename.replace(/\.cjs$/, ".code");
    writeFileSync(`${file}.tmp`, script.createCachedData(), { mode: 0o644 });
    renameSync(`${file}.tmp`, file);
  }
  process.exitCode = scripts.size === 2 ? 0 : 1;
}
