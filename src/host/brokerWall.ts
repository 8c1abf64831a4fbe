import { existsSync } from "node:fs";
import { PRIVATE_ADDON } from "../secrets/index.ts";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import {
  compileWall,
  type CompiledWall,
  type HostCapabilities,
  type Mount,
  type WallSpec,
} from "../wall/index.ts";
import type { Generation } from "./Generation.ts";
import { libraryFolders } from "./libraries.ts";
import { secretVariables } from "./resolveSecrets.ts";
import type { StatePaths } from "../paths/index.ts";
import { brokerCache } from "./warmBroker.ts";

/** Where this Seawall is. */
export const PROJECT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
/** Code is the larger part of an idle broker; what a call leaves behind is small and soon gone. */
export const BROKER_FLAGS: readonly string[] = ["--max-semi-space-size=1"];

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
  const { plan, programs } = generation;
  const spec = brokerSpec({
    node: programs.node,
    project: PROJECT,
    main: "src/broker/main.ts",
    cache: brokerCache(paths.store),
    readable: [paths.vault.folder],
    environment: given(secretVariables(plan.secrets)),
    audit: paths.audit,
    bind: [
      ...plan.bots.map((bot) => bot.ingress.port),
      ...[plan.telemetry?.metricsPort ?? []].flat(),
    ],
    concessions: plan.bots.some((bot) => bot.concessions.includes("no-landlock"))
      ? ["no-landlock"]
      : [],
  });
  return compileWall(spec, capabilities);
}

/** What a broker's wall is made of, whoever starts it. */
export interface BrokerSurroundings {
  readonly node: string;
  /** Folder with our code and its packages. */
  readonly project: string;
  /** The program, in `project`. */
  readonly main: string;
  readonly cache: string;
  /** What it reads besides code and what name resolution needs. */
  readonly readable: readonly string[];
  /** Variables besides its own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The only folder it writes. */
  readonly audit: string;
  readonly bind: readonly number[];
  /** Libraries and what name resolution needs; this host's where left out. */
  readonly system?: readonly string[];
  readonly concessions: WallSpec["concessions"];
}

export function brokerSpec(around: BrokerSurroundings): WallSpec {
  const { node, project, main, cache, audit } = around;
  const readable = [
    ...readByEach(around),
    join(project, relative(PROJECT, PRIVATE_ADDON)),
    // Whose client commands they are; src/broker/command/peerUid.ts loads it.
    `${project}/build/peer.node`,
    ...around.readable,
  ];
  return {
    command: [node, ...BROKER_FLAGS, `${project}/${main}`],
    cwd: "/",
    environment: {
      PATH: "/nonexistent",
      TZ: "UTC",
      NODE_COMPILE_CACHE: cache,
      ...around.environment,
    },
    identity: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    hostname: "broker",
    mounts: [
      ...readable.map((path): Mount => ({ kind: "read", from: path, to: path })),
      { kind: "write", from: audit, to: audit },
    ],
    network: { tcp: [], udp: [], bind: around.bind },
    execute: [],
    libraries: [],
    protect: [],
    limits: {},
    processes: "one",
    namespaces: "host",
    concessions: around.concessions,
  };
}

/** What each process of ours that dials out reads: its code, and what name resolution needs. */
export function readByEach({
  node,
  project,
  cache,
  system,
}: Pick<BrokerSurroundings, "node" | "project" | "cache" | "system">): string[] {
  return [
    dirname(node),
    `${project}/src`,
    `${project}/node_modules`,
    `${project}/package.json`,
    cache,
    ...(system ?? [...libraryFolders(), ...RESOLVER].filter((path) => existsSync(path))),
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
