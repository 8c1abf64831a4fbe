import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface MadeInstallation {
  readonly folder: string;
  readonly canaries: Readonly<Record<string, string>>;
}

/** Random letters and digits. */
function random(length: number): string {
  return randomBytes(length).toString("hex").slice(0, length);
}

/**
 * An installation as OpenClaw 2026.9.6 leaves one behind after `onboard`, `channels add`, `models auth
 * paste-api-key` and `config set` (see docs/openclaw.md), without starting it: whole-program tests do.
 */
export function makeInstallation(folder: string, more: object = {}): MadeInstallation {
  const canaries = {
    anthropic: `sk-ant-api03-${random(93)}AA`,
    telegram: `7123456789:AA${random(33)}`,
    groq: `gsk_${random(52)}`,
    gemini: `AIzaSy${random(33)}`,
    cerebras: `csk-${random(48)}`,
    gateway: random(48),
  };
  const workspace = join(folder, "workspace");
  for (const path of ["state", "workspace/memory", "agents/main/sessions"])
    mkdirSync(join(folder, path), { recursive: true });
  const config = {
    agents: {
      defaults: { workspace, model: { primary: "anthropic/claude-sonnet-4-6" } },
      entries: {
        main: { name: "main", workspace, agentDir: join(folder, "agents/main/agent") },
      },
    },
    gateway: {
      mode: "local",
      port: 18999,
      bind: "lan",
      auth: { mode: "token", token: canaries.gateway },
    },
    tools: { profile: "messaging" },
    channels: {
      telegram: {
        enabled: true,
        botToken: canaries.telegram,
        dmPolicy: "allowlist",
        allowFrom: [12345],
      },
    },
    env: { vars: { GROQ_API_KEY: canaries.groq, LOG_LEVEL: "debug" } },
    session: { idleMinutes: 60 },
    ...more,
  };
  const text = `// mine\n${JSON.stringify(config, null, 2)}\n`;
  writeFileSync(join(folder, "openclaw.json"), text, { mode: 0o600 });
  writeFileSync(join(folder, "openclaw.json.bak"), text, { mode: 0o600 });
  writeFileSync(
    join(folder, ".env"),
    `# keys\nexport GEMINI_API_KEY="${canaries.gemini}"\nCEREBRAS_API_KEY=${canaries.cerebras}\n`,
  );
  writeFileSync(join(workspace, "MEMORY.md"), "I remember.\n");
  writeFileSync(
    join(folder, "agents/main/sessions/a.jsonl"),
    `${JSON.stringify({ text: `the key is ${canaries.anthropic}` })}\n`,
  );
  const database = new DatabaseSync(join(folder, "state/openclaw.sqlite"));
  database.exec(
    "PRAGMA journal_mode=WAL; CREATE TABLE config_machine_state (state_key TEXT PRIMARY KEY, value_json TEXT, updated_at_ms INTEGER)",
  );
  const profiles = {
    "anthropic:default": { type: "api_key", provider: "anthropic", key: canaries.anthropic },
    "openai-codex:me": { type: "oauth", provider: "openai-codex", access: "a".repeat(40) },
  };
  database
    .prepare("INSERT INTO config_machine_state VALUES ('authProfiles.store', ?, 1)")
    .run(JSON.stringify({ version: 1, profiles }));
  database.close();
  return { folder, canaries };
}
