import { existsSync } from "node:fs";
import { PRIVATE_ADDON } from "../secrets/index.ts";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import {
  compileWall,
  type CompiledWall,
  type HostCapabilities,
  type Mount,
} from "../wall/index.ts";
import type { Generation } from "./Generation.ts";
import { libraryFolders } from "./libraries.ts";
import { secretVariables } from "./resolveSecrets.ts";
import type { StatePaths } from "../paths/index.ts";
import { brokerCache } from "./warmBroker.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const MAIN = `${PROJECT}/src/broker/main.ts`;

/** What name resolution reads (resolv.conf(5), nsswitch.conf(5)). */
const RESOLVER = [
  // The folder and not the files: resolv.conf is replaced by rename when a laptop changes networks,
  // and a Landlock rule holds on to the inode.
  "/etc",
  "/run/systemd/resolve",
  "/run/NetworkManager",
  "/run/resolvconf",
];

/** What of a generation its wall depends on. */
interface Walled {
  readonly programs: Pick<Generation["programs"], "node">;
  readonly plan: {
    readonly bots: readonly Pick<Generation["plan"]["bots"][number], "ingress" | "concessions">[];
    readonly secrets: Generation["plan"]["secrets"];
    readonly telemetry?: Generation["plan"]["telemetry"];
  };
}

/**
 * The broker's own wall (invariant 10): it reads its code, the vault and what name resolution needs,
 * writes the folder of its record, dials out, and can start nothing.
 */
export function brokerWall(
  generation: Walled,
  paths: Pick<StatePaths, "vault" | "store" | "audit">,
  capabilities: HostCapabilities,
): CompiledWall {
  const { node } = generation.programs;
  const readable = [
    ...readByEach(node, paths.store),
    PRIVATE_ADDON,
    // Whose client commands they are; src/broker/command/peerUid.ts loads it.
    `${PROJECT}/build/peer.node`,
    paths.vault.folder,
  ];
  return compileWall(
    {
      // Code is the larger part of an idle broker; the record's writes are small.
      command: [node, "--max-semi-space-size=1", MAIN],
      cwd: "/",
      environment: {
        PATH: "/nonexistent",
        TZ: "UTC",
        NODE_COMPILE_CACHE: brokerCache(paths.store),
        ...given(secretVariables(generation.plan.secrets)),
      },
      identity: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
      hostname: "broker",
      mounts: [
        ...readable.map((path): Mount => ({ kind: "read", from: path, to: path })),
        { kind: "write", from: paths.audit, to: paths.audit },
      ],
      network: {
        tcp: [],
        udp: [],
        bind: [
          ...generation.plan.bots.map((bot) => bot.ingress.port),
          ...[generation.plan.telemetry?.metricsPort ?? []].flat(),
        ],
      },
      execute: [],
      libraries: [],
      protect: [],
      limits: {},
      processes: "one",
      namespaces: "host",
      concessions: generation.plan.bots.some((bot) => bot.concessions.includes("no-landlock"))
        ? ["no-landlock"]
        : [],
    },
    capabilities,
  );
}

/** What each process of ours that dials out reads: its code, and what name resolution needs. */
export function readByEach(node: string, store: string): string[] {
  return [
    dirname(node),
    `${PROJECT}/src`,
    `${PROJECT}/node_modules`,
    `${PROJECT}/package.json`,
    brokerCache(store),
    ...[...libraryFolders(), ...RESOLVER].filter((path) => existsSync(path)),
    "/dev/null",
    "/dev/urandom",
  ];
}

/** Those that there are: a missing one is reported by the broker, which needs it. */
function given(variables: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    variables.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
