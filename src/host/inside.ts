import type { InsidePaths } from "../openclaw/index.ts";

/**
 * Where things lie inside every bot's wall. The same for all bots on all hosts, so that nothing a
 * bot sees tells it where it runs or what else runs there.
 */
export const INSIDE: InsidePaths = {
  node: "/opt/node/bin/node",
  openclaw: "/opt/openclaw",
  home: "/home/bot",
  state: "/home/bot/state",
  workspace: "/home/bot/workspace",
  config: "/etc/seawall",
  commands: "/usr/bin",
  clients: true,
  toolWalls: true,
  caBundle: "/etc/ssl/certs/ca-certificates.crt",
};

/** The same for services: systemd hides /home whole, with whatever is in it. */
export const SERVICE_INSIDE: InsidePaths = {
  ...INSIDE,
  home: "/srv/bot",
  state: "/srv/bot/state",
  workspace: "/srv/bot/workspace",
};

/** Where the client commands find the broker; native/client.c has the same path. */
export const COMMAND_SOCKET = { folder: "/run/broker", name: "socket" } as const;

/** As what the bot sees itself. */
export const BOT_IDENTITY = { uid: 1000, gid: 1000 } as const;
