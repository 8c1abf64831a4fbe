import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { runProbe, type ProbeOptions } from "../probe/runProbe.ts";
import type { CgroupAccess } from "./CgroupAccess.ts";

/** Groups of ours are named so, with the pid of whoever made them. */
export const GROUP_PREFIX = "seawall-";

const CONTROLLERS = ["memory", "pids", "cpu"] as const;

/** Where the kernel shows this process's groups and the mounts; other places in tests. */
export interface CgroupPlaces {
  readonly self: string;
  readonly mounts: string;
  /** Exists where systemd is the first process (sd_booted(3)). */
  readonly systemd: string;
}

const PLACES: CgroupPlaces = {
  self: "/proc/self/cgroup",
  mounts: "/proc/self/mountinfo",
  systemd: "/run/systemd/system",
};

/**
 * Finds by trying how this process may bound what it starts. systemd comes first where it runs,
 * because it takes groups that others make behind its back for its own (systemd's "The New Control
 * Group Interfaces"); then groups of our own below the one this process is in.
 */
export async function probeCgroups(
  path: string,
  places: CgroupPlaces = PLACES,
): Promise<CgroupAccess> {
  if (existsSync(places.systemd)) {
    const found = await trySystemd(path);
    if (found !== undefined) return found;
  }
  const own = readLines(places.self).map(parseGroup);
  const mounts = readLines(places.mounts).flatMap(parseMount);
  return tryUnified(own, mounts) ?? tryLegacy(own, mounts) ?? refusal(mounts);
}

async function trySystemd(path: string): Promise<CgroupAccess | undefined> {
  const user = process.getuid?.() !== 0;
  const program = path
    .split(":")
    .map((folder) => join(folder, "systemd-run"))
    .find((file) => file.startsWith("/") && existsSync(file));
  if (program === undefined) return undefined;
  const words = [...(user ? ["--user"] : []), "--scope", "--quiet", "--collect"];
  const limits = ["-p", "MemoryMax=64M", "-p", "TasksMax=16", "-p", "CPUQuota=100%"];
  const options: ProbeOptions = { launcher: program, environment: busEnvironment() };
  const run = await runProbe(program, [...words, ...limits, "--", "/bin/sh", "-c", ":"], options);
  return run.code === 0 ? { kind: "systemd", program, user } : undefined;
}

/** How systemd-run finds the user's manager (systemd-run(1), sd_bus_open_user(3)). */
export function busEnvironment(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

interface OwnGroup {
  readonly controllers: readonly string[];
  readonly path: string;
}

interface GroupMount {
  readonly version: 1 | 2;
  readonly point: string;
  /** Which group of the hierarchy is seen at the mount's point. */
  readonly root: string;
  readonly options: readonly string[];
}

/** `4:memory:/user.slice`; of the unified hierarchy `0::/user.slice` (cgroups(7)). */
function parseGroup(line: string): OwnGroup {
  const [, controllers = "", ...rest] = line.split(":");
  return { controllers: controllers.split(",").filter(Boolean), path: rest.join(":") };
}

/** proc(5), `/proc/PID/mountinfo`. */
function parseMount(line: string): GroupMount[] {
  const [left = "", right = ""] = line.split(" - ");
  const [, , , root = "/", point = ""] = left.split(" ");
  const [type, , options = ""] = right.split(" ");
  if (type !== "cgroup" && type !== "cgroup2") return [];
  return [{ version: type === "cgroup" ? 1 : 2, point, root, options: options.split(",") }];
}

/** Where a group is seen; undefined if it lies outside of what the mount shows. */
function placeOf(group: OwnGroup, mount: GroupMount): string | undefined {
  const root = mount.root === "/" ? "" : mount.root;
  if (!`${group.path}/`.startsWith(`${root}/`)) return undefined;
  return join(mount.point, group.path.slice(root.length));
}

function tryUnified(own: readonly OwnGroup[], mounts: readonly GroupMount[]) {
  const group = own.find(({ controllers }) => controllers.length === 0);
  const mount = mounts.find(({ version }) => version === 2);
  if (group === undefined || mount === undefined) return undefined;
  const folder = placeOf(group, mount);
  if (folder === undefined) return undefined;
  const here = readWords(join(folder, "cgroup.controllers"));
  const lacking = CONTROLLERS.filter(
    (name) =>
      here.includes(name) && !readWords(join(folder, "cgroup.subtree_control")).includes(name),
  );
  // Refused where the group itself holds processes, but for the root (cgroup-v2.rst).
  for (const name of lacking)
    attempt(() => writeFileSync(join(folder, "cgroup.subtree_control"), `+${name}`));
  const found = inTrialGroup(folder, (trial) => {
    const given = readWords(join(trial, "cgroup.controllers"));
    return CONTROLLERS.filter((name) => given.includes(name));
  });
  if (found === undefined || found.length === 0) return undefined;
  return { kind: "v2", folder, controllers: found } as const;
}

function tryLegacy(own: readonly OwnGroup[], mounts: readonly GroupMount[]) {
  const folders = Object.fromEntries(
    CONTROLLERS.flatMap((name) => {
      const group = own.find(({ controllers }) => controllers.includes(name));
      const mount = mounts.find(({ version, options }) => version === 1 && options.includes(name));
      const folder = group === undefined || mount === undefined ? undefined : placeOf(group, mount);
      if (folder === undefined) return [];
      const usable = inTrialGroup(folder, (trial) => existsSync(join(trial, "cgroup.procs")));
      return usable === true ? [[name, folder]] : [];
    }),
  );
  return Object.keys(folders).length === 0 ? undefined : ({ kind: "v1", folders } as const);
}

function refusal(mounts: readonly GroupMount[]): CgroupAccess {
  if (mounts.length === 0) return { kind: "none", reason: "no cgroup file system is mounted" };
  return {
    kind: "none",
    reason: "this user may make no control groups",
    remedy:
      "run it where systemd has a user session, or in a delegated group (systemd.resource-control(5))",
  };
}

/** What `look` finds in a group made for it, which is gone afterwards; undefined if none can be made. */
function inTrialGroup<T>(folder: string, look: (trial: string) => T): T | undefined {
  const trial = join(folder, `${GROUP_PREFIX}${process.pid}-${randomBytes(4).toString("hex")}`);
  if (!attempt(() => mkdirSync(trial))) return undefined;
  try {
    return look(trial);
  } finally {
    attempt(() => rmdirSync(trial));
  }
}

function attempt(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

function readWords(file: string): string[] {
  return readLines(file).join(" ").split(" ");
}
