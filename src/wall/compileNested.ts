import { visibleLoaders } from "./checkSpec.ts";
import type { HostCapabilities } from "./HostCapabilities.ts";
import { compileLandlock } from "./landlock/compile.ts";
import { FULL_ABI } from "./landlock/rights.ts";
import { encodePolicy } from "./policy/encode.ts";
import { compileFilter } from "./seccomp/compile.ts";
import { walledPolicy } from "./seccomp/walledPolicy.ts";
import { requireFilters } from "./requireFilters.ts";
import { WallError } from "./WallError.ts";
import type { Mount, WallSpec } from "./WallSpec.ts";

// include/uapi/asm-generic/resource.h
const RLIMIT_CORE = 4;

/** One command of a process that is behind a wall already, and may do less than that. */
export interface NestedSpec {
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  /** Variables that it gets from whoever starts the launcher. */
  readonly pass: readonly string[];
  /** What it may read, of what the wall around it shows; `from` has no meaning here. */
  readonly mounts: readonly Mount[];
  /** Besides the command, of what the wall around it lets be executed. */
  readonly execute: readonly string[];
}

/**
 * The policy for `seawall-launch` started by a process inside of a wall: Landlock and seccomp once more, on
 * top of those in force, without namespaces or any privilege. The command may read `mounts`, write the
 * folder that the launcher is started in and nothing else, and has no socket; it can't signal, trace or read
 * processes that aren't its own. There is no /proc, which would show those.
 *
 * Who starts the launcher says which folder that is: one policy does for all agents of a bot.
 *
 * Throws WallError where this kernel can't enforce all of it.
 */
export function compileNested(spec: NestedSpec, host: HostCapabilities): Uint8Array {
  const architecture = requireFilters(host);
  // Before, signals would reach the process that starts it.
  if (host.landlock < FULL_ABI)
    throw new WallError("landlock", `a wall within a wall needs Landlock ABI ${FULL_ABI}`, {
      hint: "boot a kernel of Linux 6.12 or later",
    });
  const walled: WallSpec = {
    command: spec.command,
    cwd: ".",
    environment: spec.environment,
    identity: { uid: 0, gid: 0 },
    hostname: "",
    mounts: [
      ...spec.mounts,
      { kind: "devices", to: "/dev" },
      { kind: "write", from: ".", to: "." },
    ],
    network: { tcp: [], udp: [], bind: [] },
    execute: spec.execute,
    libraries: [],
    protect: [],
    limits: {},
    processes: "any",
    namespaces: "own",
    concessions: [],
  };
  const ruleset = compileLandlock(walled, host.landlock, visibleLoaders(walled, host), "host");
  if (ruleset === undefined) throw new WallError("landlock", "this kernel has no Landlock");
  const policy = walledPolicy({ processes: "any", nested: true });
  return encodePolicy([
    { op: "limit", resource: RLIMIT_CORE, value: 1n },
    { op: "umask", mask: 0o077 },
    { op: "no-new-privileges" },
    { op: "landlock", ruleset },
    { op: "filter", filter: compileFilter(policy, architecture) },
    { op: "descriptors", keep: [] },
    { op: "pass", names: spec.pass.toSorted() },
    {
      op: "execute",
      once: false,
      path: spec.command[0],
      arguments: spec.command,
      environment: Object.entries(spec.environment)
        .map(([name, value]) => `${name}=${value}`)
        .toSorted(),
    },
  ]);
}
