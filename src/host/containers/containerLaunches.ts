import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { StatePaths } from "../../paths/index.ts";
import { compileLimits, type CompiledGroup, type HostCapabilities } from "../../wall/index.ts";
import { agentsFolder } from "../agentsFolder.ts";
import { usualLimits } from "../botWall.ts";
import type { Generation } from "../Generation.ts";
import { HostError } from "../HostError.ts";
import { ownerEnvironment } from "./findImage.ts";
import type { KeeperSetup } from "./messages.ts";

/** Everything that keeping one bot's containers takes. */
export interface ContainerLaunch {
  readonly bot: string;
  readonly setup: KeeperSetup;
  /** On this host: what `makeSocketFolder` makes, the bot's home, and what tells its agents. */
  readonly folder: string;
  readonly home: string;
  readonly live: string;
  /** Path of bubblewrap. */
  readonly bwrap: string;
  /** What all of its containers may use up together, where the host has control groups. */
  readonly group?: CompiledGroup;
  /** In which Podman of this deployment's owner has the image. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Where a bot's keeper has everything, on this host. */
export function containersFolder(root: string, bot: string): string {
  return join(root, "containers", bot);
}

/** Whether a keeper of this bot's containers has come up with this deployment. */
export function hasContainers(root: string, bot: string): boolean {
  return existsSync(join(containersFolder(root, bot), "socket", "socket"));
}

/**
 * The folder with the socket, which the bot's wall shows; made before either end is started. It and the keeper's are
 * the bot's, but what they are in is not: whoever has taken over the keeper can't put a link in their place, which
 * root would follow.
 */
export function makeSocketFolder(root: string, bot: string, uid: number | undefined): string {
  const folder = containersFolder(root, bot);
  const socket = join(folder, "socket");
  for (const path of [join(root, "containers"), folder]) {
    mkdirSync(path, { recursive: true, mode: 0o711 });
    // Bots with uids of their own have to get there, whatever the umask.
    chmodSync(path, 0o711);
  }
  for (const path of [join(folder, "keeper"), socket]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
    if (uid !== undefined) chownSync(path, uid, uid);
  }
  return socket;
}

/**
 * Of all bots whose agents may have containers.
 *
 * @param users uids by bot, when this runs as root.
 * @throws HostError `damaged-state` for a generation that was prepared without their images
 */
export function containerLaunches(options: {
  readonly generation: Generation;
  readonly paths: StatePaths;
  readonly capabilities: HostCapabilities;
  readonly users: ReadonlyMap<string, number>;
}): readonly ContainerLaunch[] {
  const { generation, paths, capabilities, users } = options;
  return generation.plan.bots.flatMap(({ name, openclaw, resources }): ContainerLaunch[] => {
    if (openclaw.agentImage === undefined) return [];
    const image = generation.bots[name]?.image;
    const { podman } = generation.programs;
    if (image === undefined || podman === undefined)
      throw new HostError("damaged-state", `this generation has no image of bot "${name}"`, {
        hint: "apply the declaration anew with: seawall up",
      });
    const uid = users.get(name);
    // What is of each process, and of no group, is said to Podman.
    const {
      openFiles: _files,
      fileSize: _size,
      ...together
    } = { ...usualLimits(true), ...resources };
    const none = { ownNamespaces: false, countsProcesses: false };
    const { group } = compileLimits(together, capabilities.cgroups, none);
    return [
      {
        bot: name,
        setup: {
          podman,
          image,
          ...(uid === undefined ? {} : { uid }),
        },
        folder: containersFolder(paths.root, name),
        home: join(paths.bots, name),
        live: agentsFolder(paths.root, name),
        bwrap: capabilities.bubblewrap?.path ?? "bwrap",
        ...(group === undefined ? {} : { group }),
        environment: ownerEnvironment(),
      },
    ];
  });
}
