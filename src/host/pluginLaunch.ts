import { pluginInstall, readPin, type InsidePaths } from "../openclaw/index.ts";
import { assignAddresses, type HostPlan } from "../plan/index.ts";
import {
  compileWall,
  type CompiledWall,
  type HostCapabilities,
  type Mount,
  type WallSpec,
} from "../wall/index.ts";
import { botWall, type BotWallInput } from "./botWall.ts";
import type { Programs } from "./Generation.ts";
import { HostError } from "./HostError.ts";
import { INSIDE } from "./inside.ts";
import { NPM_INSIDE, NPM_PROGRAM } from "./storeNpm.ts";

/** What installing one plugin takes: a wall of its own, and what its network may reach. */
export interface PluginLaunch {
  readonly plugin: string;
  readonly wall: CompiledWall;
  readonly registry: Registry;
}

/** The only host there is. */
export interface Registry {
  readonly name: string;
  readonly port: number;
}

export function pluginLaunch(
  plugin: string,
  input: BotWallInput,
  capabilities: HostCapabilities,
): PluginLaunch {
  const { plan, programs } = input;
  const spec = pluginWall(
    { plugin, openclaw: plan.openclaw.version, inside: INSIDE },
    botWall({ ...input, variables: {} }),
    programs,
  );
  return { plugin, wall: compileWall(spec, capabilities), registry: registryOf(programs) };
}

/**
 * Plugins are installed by OpenClaw itself, since it trusts only its own record of them, and that
 * runs npm on what the registry sends. So it happens in the bot's wall, with the bot's rights, but
 * without its phantoms, and with the registry as the only host there is.
 *
 * @param spec the bot's wall, without its phantoms.
 */
export function pluginWall(
  options: { readonly plugin: string; readonly openclaw: string; readonly inside: InsidePaths },
  spec: WallSpec,
  { npm }: Pick<Programs, "npm">,
): WallSpec {
  const { plugin, openclaw, inside } = options;
  if (npm === undefined) throw new HostError("damaged-state", "this generation lacks npm");
  const { port } = registryOf({ npm });
  const install = pluginInstall(plugin, inside, readPin(openclaw));
  const npmProgram = `${inside.commands}/npm`;
  const added: Mount[] = [
    { kind: "read", from: npm.folder, to: NPM_INSIDE },
    { kind: "link", to: `${inside.commands}/node`, target: inside.node },
    { kind: "read", from: `${npm.folder}/${NPM_PROGRAM}`, to: npmProgram },
  ];
  return {
    ...spec,
    command: install.command,
    environment: {
      ...install.environment,
      npm_config_registry: npm.registry,
      npm_config_cafile: inside.caBundle,
      npm_config_cache: "/tmp/npm",
      npm_config_ignore_scripts: "true",
      npm_config_update_notifier: "false",
    },
    mounts: [...spec.mounts, ...added],
    network: { tcp: [port], udp: [53], bind: [] },
    execute: [...spec.execute, npmProgram],
  };
}

/**
 * The registry, passed through unopened; whoever asks shows no credential. The owner's npm names it, so
 * wherever it is, on a private network too, it may be dialled.
 *
 * @param dial its name or an address of it.
 */
export function registryGrant(
  { name, port }: Registry,
  dial: string,
): {
  readonly kind: "tunnel";
  readonly name: string;
  readonly hosts: readonly HostPlan[];
  readonly dial: { readonly host: string };
} {
  const host: HostPlan = { name, port, scheme: "https", ...assignAddresses([name]).get(name) };
  return { kind: "tunnel", name: "registry", hosts: [host], dial: { host: dial } };
}

/** @throws HostError `damaged-state` for a generation whose bots have no plugins. */
export function registryOf({ npm }: Pick<Programs, "npm">): Registry {
  if (npm === undefined) throw new HostError("damaged-state", "this generation lacks npm");
  const { hostname, port } = new URL(npm.registry);
  return { name: hostname, port: Number(port || 443) };
}
