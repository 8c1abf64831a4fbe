import { pluginInstall, readPin } from "../openclaw/index.ts";
import {
  compileWall,
  type CompiledWall,
  type HostCapabilities,
  type Mount,
} from "../wall/index.ts";
import { botWall, type BotWallInput } from "./botWall.ts";
import { HostError } from "./HostError.ts";
import { INSIDE } from "./inside.ts";
import { NPM_INSIDE, NPM_PROGRAM } from "./storeNpm.ts";

/** What installing one plugin takes: a wall of its own, and what its network may reach. */
export interface PluginLaunch {
  readonly plugin: string;
  readonly wall: CompiledWall;
  /** The only host there is. */
  readonly registry: { readonly name: string; readonly port: number };
}

/**
 * Plugins are installed by OpenClaw itself, since it trusts only its own record of them, and that
 * runs npm on what the registry sends. So it happens in the bot's wall, with the bot's rights, but
 * without its phantoms, and with the registry as the only host there is.
 */
export function pluginLaunch(
  plugin: string,
  input: BotWallInput,
  capabilities: HostCapabilities,
): PluginLaunch {
  const { plan, programs } = input;
  const { npm } = programs;
  if (npm === undefined) throw new HostError("damaged-state", "this generation lacks npm");
  const install = pluginInstall(plugin, INSIDE, readPin(plan.openclaw.version));
  const registry = new URL(npm.registry);
  const port = Number(registry.port || 443);
  const spec = botWall({ ...input, variables: {} });
  const npmProgram = `${INSIDE.commands}/npm`;
  const added: Mount[] = [
    { kind: "read", from: npm.folder, to: NPM_INSIDE },
    { kind: "link", to: `${INSIDE.commands}/node`, target: INSIDE.node },
    { kind: "read", from: `${npm.folder}/${NPM_PROGRAM}`, to: npmProgram },
  ];
  const wall = compileWall(
    {
      ...spec,
      command: install.command,
      environment: {
        ...install.environment,
        npm_config_registry: npm.registry,
        npm_config_cafile: INSIDE.caBundle,
        npm_config_cache: "/tmp/npm",
        npm_config_ignore_scripts: "true",
        npm_config_update_notifier: "false",
      },
      mounts: [...spec.mounts, ...added],
      network: { tcp: [port], udp: [53], bind: [] },
      execute: [...spec.execute, npmProgram],
    },
    capabilities,
  );
  return { plugin, wall, registry: { name: registry.hostname, port } };
}
