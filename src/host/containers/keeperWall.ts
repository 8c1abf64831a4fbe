import { existsSync, lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../ownProcess.ts";
import { KEEPER } from "./messages.ts";

/** Programs and libraries of this host, wherever a distribution has them, and what they are configured by. */
const SYSTEM = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "nix"];

/** Where on this host is what the keeper sees. */
export interface KeeperPlaces {
  readonly node: string;
  /** Ours, with its own in it: `keeper` for images and containers, and `socket`, which the bot sees, too. */
  readonly folder: string;
  /** The bot's home. */
  readonly home: string;
  /** The folder that tells the bot's agents, which the bot can't write. */
  readonly live: string;
  /**
   * An empty file, in place of the lists of subordinate ids: no program may become another user in here, so
   * containers have one uid, the bot's, wherever this runs.
   */
  readonly empty: string;
}

/**
 * bubblewrap's arguments for the keeper, and its command (bwrap(1), 0.7). What starts containers needs user
 * namespaces and so can't be behind a wall like the broker's; but whatever breaks out of a container, or takes
 * over the keeper or Podman, sees the programs of this host, the bot's home and the keeper's own folder, and has
 * no network and no process beside its own. All of them end when the keeper or the supervisor does: it is in a PID
 * namespace, whose first process ends with it.
 */
export function keeperWall({ node, folder, home, live, empty }: KeeperPlaces): readonly string[] {
  const system = SYSTEM.map((name) => `/${name}`).filter((path) => existsSync(path));
  const read = (from: string, to = from): string[] => ["--ro-bind", from, to];
  return [
    "--die-with-parent",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    "--hostname",
    "containers",
    ...system.flatMap((path) =>
      lstatSync(path).isSymbolicLink() ? ["--symlink", readlinkSync(path), path] : read(path),
    ),
    ...(existsSync("/run/current-system") ? read("/run/current-system") : []),
    ...["/etc/subuid", "/etc/subgid"].flatMap((path) =>
      existsSync(path) ? read(empty, path) : [],
    ),
    ...read("/sys"),
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    ...["/dev/shm", "/tmp", "/var/tmp"].flatMap((path) => ["--perms", "1777", "--tmpfs", path]),
    // Those that bubblewrap makes by itself are for its own user only, which is root's for root.
    ...["/opt", KEEPER.code, "/home", "/var"].flatMap((path) => ["--perms", "0755", "--dir", path]),
    ...read(node, KEEPER.node),
    ...read(join(PROJECT, "package.json"), `${KEEPER.code}/package.json`),
    ...read(join(PROJECT, "src/host/containers"), `${KEEPER.code}/containers`),
    ...read(live, KEEPER.live),
    "--bind",
    home,
    KEEPER.home,
    "--bind",
    join(folder, "keeper"),
    KEEPER.folder,
    "--bind",
    join(folder, "socket"),
    KEEPER.socket,
    "--remount-ro",
    "/",
    "--chdir",
    "/",
    "--",
    KEEPER.node,
    "--no-warnings",
    `${KEEPER.code}/containers/main.ts`,
  ];
}
