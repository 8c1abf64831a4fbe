import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { syscallNumbers } from "../../wall/index.ts";
import type { Field, Place } from "../Field.ts";
import { attackAddon } from "../makeBundle.ts";
import { euidProgram } from "../inside/elf.ts";
import { filesBelow, plantFiles, type Planted } from "./plantFiles.ts";
import { plantInKernel } from "./plantInKernel.ts";
import { startStandIns } from "./standIns.ts";
import { startVictim } from "./startVictim.ts";
import { makeMarker, Witness } from "./Witness.ts";

/** Everything outside that attacks are aimed at, made for one run. */
export interface Range {
  /** A folder of this run, which everybody may pass through and read. */
  readonly folder: string;
  readonly witness: Witness;
  /** The same in all that is planted but what the broker gives out. */
  readonly marker: string;
  readonly planted: Planted;
  /** All but what depends on who attacks. */
  readonly field: Omit<Field, "home" | "addon" | "granted" | "multicall" | "configuration">;
  close(): Promise<void>;
}

/** Sockets of the system's services where they usually are. */
const SOCKETS = {
  docker: [
    "/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/containerd/containerd.sock",
    `/run/user/${process.getuid?.() ?? 0}/podman/podman.sock`,
  ],
  systemBus: ["/run/dbus/system_bus_socket"],
  sessionBus: [`/run/user/${process.getuid?.() ?? 0}/bus`],
  x11: ["/tmp/.X11-unix/X0"],
  agents: [
    process.env["SSH_AUTH_SOCK"] ?? "",
    `/run/user/${process.getuid?.() ?? 0}/gnupg/S.gpg-agent`,
  ],
  services: ["/run/systemd/private", "/run/postgresql/.s.PGSQL.5432", "/run/mysqld/mysqld.sock"],
} as const;

const DEVICES = ["fuse", "net/tun", "kmsg", "kvm", "uinput", "loop-control", "vhost-net"];
const MEMORY = ["/proc/kcore", "/dev/mem"];
const UNGRANTED = "python3 perl bash gcc curl wget nc ssh busybox git awk find env".split(" ");

/** Bounds for what would get through, far from what would hurt a machine. */
const BOUNDS: Field["bounds"] = {
  processes: 6_000,
  memory: 1 << 30,
  descriptors: 70_000,
  fileSize: 2 ** 42,
  logBytes: 0,
};

/**
 * Plants files, keys and memory, and starts stand-ins and a neighbour. All of it is readable and
 * writable by everybody, so that what holds is the wall.
 *
 * @param node Node as `uid` can reach it.
 */
export async function startRange(options: {
  readonly node: string;
  readonly uid: number | undefined;
  /** Its own if not given. */
  readonly witness?: Witness;
  readonly bounds?: Partial<Field["bounds"]>;
  /** Where folders of a run are made: the system's temporary folder unless a test says otherwise. */
  readonly under?: string;
}): Promise<Range> {
  const addon = attackAddon();
  const folder = mkdtempSync(join(options.under ?? tmpdir(), "seawall-prove-"));
  const closers: (() => void | Promise<void>)[] = [
    () => rmSync(folder, { recursive: true, force: true }),
  ];
  const close = async (): Promise<void> => {
    for (const closer of closers.toReversed()) await closer();
    closers.length = 0;
  };
  try {
    chmodSync(folder, 0o755);
    const name = basename(folder).toLowerCase();
    const witness = options.witness ?? new Witness();
    const marker = makeMarker("range");
    const planted = plantFiles(folder, marker);
    const surroundings = { addon, ...syscallNumbers() };
    const kernel = plantInKernel(surroundings, name, marker);
    closers.push(() => kernel.remove());
    const sockets = socketPlaces(folder, name);
    const standIns = await startStandIns(
      witness,
      marker,
      Object.values(sockets).flatMap((places) =>
        places.filter((place) => place.planted).map(({ path }) => path),
      ),
    );
    closers.push(() => standIns.close());
    const { node, uid } = options;
    const victim = await startVictim({ node, uid, marker, name: `${name}-neighbour`, witness });
    closers.push(() => victim.close());
    const setuid = plantSetuid(folder, surroundings.architecture);
    return {
      folder,
      witness,
      marker,
      planted,
      close,
      field: {
        architecture: surroundings.architecture,
        syscalls: surroundings.syscalls,
        secrets: {
          owner: planted.owner,
          ...planted.deployment.secrets,
          system: [
            "/etc/shadow",
            ...filesBelow("/etc/ssh").filter((path) => path.endsWith("_key")),
          ].filter((path) => existsSync(path)),
        },
        processes: [
          { pid: victim.pid, what: "a neighbour" },
          { pid: process.pid, what: "seawall" },
        ],
        ...(kernel.keyring === undefined ? {} : { keyring: kernel.keyring }),
        ...(kernel.sharedMemory === undefined ? {} : { sharedMemory: kernel.sharedMemory }),
        ...(kernel.sharedFile === undefined ? {} : { sharedFile: kernel.sharedFile }),
        loopback: {
          tcp: standIns.tcp,
          udp: standIns.udp,
          ...(standIns.tcp6 === undefined ? {} : { tcp6: standIns.tcp6 }),
        },
        sockets,
        places: { ...planted.places, ...planted.deployment.places, programs: [] },
        ...(setuid === undefined ? {} : { setuid }),
        devices: DEVICES.map((device) => `/dev/${device}`).filter((path) => existsSync(path)),
        memoryFiles: MEMORY.filter((path) => existsSync(path)),
        ungranted: UNGRANTED.map((program) => `/usr/bin/${program}`).filter((path) =>
          existsSync(path),
        ),
        neighbour: {
          files: [planted.neighbour],
          pids: [victim.pid],
          port: victim.port,
          abstract: victim.abstract,
        },
        bounds: { ...BOUNDS, ...options.bounds },
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function socketPlaces(folder: string, name: string): Field["sockets"] {
  const run = join(folder, "run");
  mkdirSync(run);
  chmodSync(run, 0o755);
  const planted = (path: string): Place => ({ path, planted: true });
  const real = (paths: readonly string[]): Place[] =>
    paths.filter((path) => existsSync(path)).map((path) => ({ path, planted: false }));
  return {
    plain: [planted(`${run}/service.sock`)],
    abstract: [planted(`@${name}-service`)],
    docker: [planted(`${run}/docker.sock`), ...real(SOCKETS.docker)],
    systemBus: [planted(`${run}/system_bus_socket`), ...real(SOCKETS.systemBus)],
    sessionBus: [planted(`${run}/bus`), ...real(SOCKETS.sessionBus)],
    x11: [planted(`${run}/X0`), planted(`@${name}-x11`), ...real(SOCKETS.x11)],
    agents: [planted(`${run}/agent.sock`), ...real(SOCKETS.agents)],
    supervisor: [planted(`@${name}-supervisor`)],
    services: [planted(`${run}/database.sock`), ...real(SOCKETS.services)],
  };
}

/** Only root can make one that is worth anything. */
function plantSetuid(folder: string, architecture: Field["architecture"]): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const path = join(folder, "setuid");
  writeFileSync(path, euidProgram(architecture));
  chmodSync(path, 0o4755);
  return path;
}
