import { existsSync, realpathSync } from "node:fs";
import type { InsidePaths } from "../../openclaw/index.ts";
import type { BotPlan } from "../../plan/index.ts";
import { programFiles, type Mount, type WallSpec } from "../../wall/index.ts";
import { BOT_IDENTITY } from "../inside.ts";
import { usualLimits } from "../botWall.ts";
import type { BotGeneration, Programs } from "../Generation.ts";
import { commandsOf } from "./sharedFiles.ts";
import type { SharedPort } from "./SharedPorts.ts";

/** What the C library, OpenSSL and Node read of the system, and nobody keeps secrets in. */
const SYSTEM_FILES = [
  "/etc/passwd",
  "/etc/group",
  "/etc/hosts",
  "/etc/nsswitch.conf",
  "/etc/ld.so.cache",
  "/etc/localtime",
  "/etc/ssl/openssl.cnf",
];

export interface SharedWallInput {
  readonly plan: BotPlan;
  readonly bot: BotGeneration;
  readonly programs: Programs;
  readonly inside: InsidePaths;
  /** For temporary files. */
  readonly temporary: string;
  /** The file with the CAs. */
  readonly cas: string;
  /** The folder that OpenClaw keeps its locks in, whatever it is told. */
  readonly locks: string;
  /** Phantoms and the gateway's token, by variable. */
  readonly variables: Readonly<Record<string, string>>;
  readonly boundsMemory: boolean;
  /** Undefined for a bot that isn't to reach anything. */
  readonly ports: SharedPort | undefined;
}

/**
 * What a bot sees and may do where it has neither mounts nor a network of its own: its folder, OpenClaw and
 * its granted commands at their own places, the broker's proxy and its gateway's port on the host's loopback.
 */
export function sharedWall(input: SharedWallInput): WallSpec {
  const { plan, bot, programs, inside, temporary, cas, locks, variables, ports } = input;
  const commands = [...commandsOf(bot, programs).values()];
  const files = programFiles([programs.node, ...commands]);
  const started = files.execute.map((path) => realpathSync(path));
  const read = [
    ...files.mounts.flatMap((mount) => (mount.kind === "read" ? [mount.from] : [])),
    ...started,
    ...commands,
    ...SYSTEM_FILES.filter((path) => existsSync(path)).map((path) => realpathSync(path)),
    programs.node,
    inside.openclaw,
    inside.config,
    inside.commands,
    cas,
  ];
  return {
    command: bot.rendered.command,
    cwd: inside.home,
    environment: {
      ...Object.fromEntries(
        Object.entries(bot.rendered.environment).map(([name, value]) => [
          name,
          value === inside.caBundle ? cas : value,
        ]),
      ),
      TMPDIR: temporary,
      ...(ports === undefined ? {} : proxyVariables(ports)),
      ...variables,
    },
    identity: BOT_IDENTITY,
    hostname: "bot",
    mounts: [
      { kind: "proc", to: "/proc" },
      { kind: "devices", to: "/dev" },
      ...outermost(read).map((path): Mount => ({ kind: "read", from: path, to: path })),
      ...[locks, temporary, inside.home].map((path): Mount => ({
        kind: "write",
        from: path,
        to: path,
      })),
    ],
    network: {
      tcp: [],
      udp: [],
      bind: ports === undefined ? [] : [ports.gateway],
      ...(ports === undefined ? {} : { outside: ports.proxy }),
    },
    execute: [...new Set([programs.node, ...commands, ...started])],
    // On Linux whatever may be read can be loaded; a profile tells them apart.
    libraries: process.platform === "darwin" ? [...files.libraries, ...(bot.natives ?? [])] : [],
    protect: [],
    limits: { ...usualLimits(input.boundsMemory), ...plan.resources },
    processes: "any",
    namespaces: "own",
    together: true,
    concessions: plan.concessions,
  };
}

/** Without those that lie in another one. */
function outermost(paths: readonly string[]): readonly string[] {
  const all = [...new Set(paths)];
  return all.filter((path) => !all.some((other) => path.startsWith(`${other}/`)));
}

/** By which OpenClaw, Node, curl, git and Python find the proxy, and tell it whose calls they are. */
function proxyVariables({ proxy, token, gateway }: SharedPort): Record<string, string> {
  const url = `http://bot:${token}@127.0.0.1:${proxy}`;
  const own = "127.0.0.1,localhost,::1";
  return {
    ...Object.fromEntries(
      ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].map((name) => [name, url]),
    ),
    NO_PROXY: own,
    no_proxy: own,
    // Node's own fetch and http heed the variables only then (Node 24.5).
    NODE_USE_ENV_PROXY: "1",
    // What OpenClaw fetches by other clients, WebSockets and media among it (its docs/security/network-proxy.md).
    OPENCLAW_PROXY_URL: url,
    // Goes before the port of its configuration (measured with 2026.9.6).
    OPENCLAW_GATEWAY_PORT: String(gateway),
  };
}
