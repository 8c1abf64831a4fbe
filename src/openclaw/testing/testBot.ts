import type { BotPlan } from "../../plan/index.ts";
import type { InsidePaths } from "../ownedSettings.ts";

/** A bot with Anthropic and Telegram, for tests. */
export function botPlan(over: Partial<BotPlan>): BotPlan {
  return {
    name: "basecamp",
    user: "seawall-basecamp",
    openclaw: {
      version: "2026.9.6",
      model: "anthropic/claude-sonnet-4-6",
      plugins: [],
      channels: [{ channel: "telegram", variable: "TELEGRAM_BOT_TOKEN", allowFrom: ["123456"] }],
      tools: [],
      settings: {},
    },
    commands: [],
    grants: [],
    concessions: [],
    ports: [443],
    environment: [
      { variable: "ANTHROPIC_API_KEY", grant: "anthropic" },
      { variable: "TELEGRAM_BOT_TOKEN", grant: "telegram" },
    ],
    ingress: { port: 18789, controlPage: false },
    ...over,
  };
}

/** Paths inside a wall, for tests. */
export const TEST_INSIDE: InsidePaths = {
  node: "/opt/node/bin/node",
  openclaw: "/opt/openclaw",
  state: "/var/lib/openclaw",
  workspace: "/workspace",
  home: "/home/bot",
  config: "/etc/openclaw",
  commands: "/usr/bin",
  clients: true,
  caBundle: "/etc/ssl/certs/ca-certificates.crt",
};
