import { PRIVATE_ADDON } from "../secrets/index.ts";
import { join, relative } from "node:path";
import {
  compileWall,
  type CompiledWall,
  type HostCapabilities,
  type WallSpec,
} from "../wall/index.ts";
import type { Generation } from "./Generation.ts";
import { libraryFolders } from "./libraries.ts";
import { ownConcessions, ownProcessSpec, PROJECT, resolverFiles } from "./ownProcess.ts";
import { secretVariables } from "./resolveSecrets.ts";
import type { StatePaths } from "../paths/index.ts";
import { brokerCache } from "./warmBroker.ts";

/** Code is the larger part of an idle broker; what a call leaves behind is small and soon gone. */
export const BROKER_FLAGS: readonly string[] = ["--max-semi-space-size=1"];

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
    concessions: ownConcessions(plan.bots),
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
  const { node, project, main, cache, audit, bind, environment, concessions } = around;
  return ownProcessSpec({
    hostname: "broker",
    node,
    project,
    flags: BROKER_FLAGS,
    main: `${project}/${main}`,
    cache,
    ...(environment === undefined ? {} : { environment }),
    readable: [
      ...(around.system ?? [...libraryFolders(), ...resolverFiles()]),
      join(project, relative(PROJECT, PRIVATE_ADDON)),
      // Whose client commands they are; src/broker/command/peerUid.ts loads it.
      `${project}/build/peer.node`,
      ...around.readable,
    ],
    writable: audit,
    bind,
    concessions,
  });
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
