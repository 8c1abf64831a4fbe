import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { programFiles, type Concession, type Mount, type WallSpec } from "../wall/index.ts";

/** Where this Seawall is. */
export const PROJECT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** A process of ours that runs in the host's network. */
export interface OwnProcess {
  /** For people who look at a list of processes' hosts; nothing else. */
  readonly hostname: string;
  readonly node: string;
  /** Folder with our code and its packages; this Seawall's where left out. */
  readonly project?: string;
  readonly flags?: readonly string[];
  /** The program. */
  readonly main: string;
  /** Where Node keeps what it compiled of our code. */
  readonly cache: string;
  /** Variables besides those that each has. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What it reads besides code. */
  readonly readable: readonly string[];
  /** The only folder it writes, if any. */
  readonly writable?: string;
  readonly bind?: readonly number[];
  readonly concessions: readonly Concession[];
}

/**
 * The wall of the broker, of what reads secrets for it, and of the browsers' gate (invariant 10): one
 * process in the host's namespaces that can start nothing, reads its code and what is named, and writes no
 * more than one folder. What it connects to isn't limited.
 */
export function ownProcessSpec(own: OwnProcess): WallSpec {
  const { node, project = PROJECT, cache, writable } = own;
  // Of Linux's libraries whole folders are shown, by whoever asks for this.
  const libraries = process.platform === "darwin" ? programFiles([node]).libraries : [];
  const readable = [
    ...libraries,
    dirname(node),
    `${project}/src`,
    `${project}/node_modules`,
    `${project}/package.json`,
    cache,
    ...own.readable,
    "/dev/null",
    "/dev/urandom",
  ];
  return {
    command: [node, ...(own.flags ?? []), own.main],
    cwd: "/",
    environment: {
      PATH: "/nonexistent",
      TZ: "UTC",
      NODE_COMPILE_CACHE: cache,
      ...own.environment,
    },
    identity: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    hostname: own.hostname,
    mounts: [
      ...[...new Set(readable)].map((path): Mount => ({ kind: "read", from: path, to: path })),
      ...(writable === undefined ? [] : [{ kind: "write", from: writable, to: writable } as const]),
    ],
    network: { tcp: [], udp: [], bind: own.bind ?? [] },
    execute: [],
    libraries,
    protect: [],
    limits: {},
    processes: "one",
    namespaces: "host",
    concessions: own.concessions,
  };
}

/** What name resolution reads (resolv.conf(5), nsswitch.conf(5)), as far as it is on this host. */
export function resolverFiles(): readonly string[] {
  return RESOLVER.filter((path) => existsSync(path));
}

const RESOLVER = [
  // The folder and not the files: resolv.conf is replaced by rename when a laptop changes networks,
  // and a Landlock rule holds on to the inode.
  "/etc",
  "/run/systemd/resolve",
  "/run/NetworkManager",
  "/run/resolvconf",
  // macOS
  "/private/var/run/resolv.conf",
];

/**
 * What a process of ours may go without: Landlock, where a bot whose calls it answers may too. Namespaces
 * it never has.
 */
export function ownConcessions(
  bots: readonly { readonly concessions: readonly Concession[] }[],
): readonly Concession[] {
  return bots.some(({ concessions }) => concessions.includes("no-landlock")) ? ["no-landlock"] : [];
}
