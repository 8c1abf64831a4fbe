import type { CompiledWall } from "./CompiledWall.ts";
import type { HostCapabilities } from "./HostCapabilities.ts";
import { compileLandlock } from "./landlock/compile.ts";
import { FULL_ABI } from "./landlock/rights.ts";
import { compileLimits } from "./limits/compile.ts";
import type { MechanismReport } from "./MechanismReport.ts";
import { encodePolicy } from "./policy/encode.ts";
import type { Operation } from "./policy/Operation.ts";
import { expected } from "./policy/expected.ts";
import { prelude } from "./policy/prelude.ts";
import { compileFilter } from "./seccomp/compile.ts";
import { walledPolicy } from "./seccomp/walledPolicy.ts";
import { requireFilters } from "./requireFilters.ts";
import { WallError } from "./WallError.ts";
import type { Mount, WallSpec } from "./WallSpec.ts";

/** Whether namespaces are conceded, and this host really has none, or had none when it was specified. */
export function isShared(
  spec: Pick<WallSpec, "namespaces" | "service" | "concessions"> & {
    readonly network?: Pick<WallSpec["network"], "outside">;
  },
  host: HostCapabilities,
): boolean {
  if (host.seatbelt !== undefined)
    return spec.namespaces === "own" && spec.concessions.includes("no-user-namespaces");
  const own = spec.namespaces === "own" && spec.service === undefined;
  const wanted = spec.network?.outside !== undefined || !hasNamespaces(host);
  return own && wanted && spec.concessions.includes("no-user-namespaces");
}

function hasNamespaces({ bubblewrap, namespaces }: HostCapabilities): boolean {
  return bubblewrap?.recent === true && namespaces.ok;
}

/**
 * The wall where user namespaces are forbidden and that is conceded: the launcher's layers alone, in the
 * host's namespaces. Landlock keeps files, execution, TCP ports, signals and abstract sockets; seccomp
 * keeps UDP and Unix sockets, since a Unix socket by path is beyond Landlock.
 *
 * Nothing can be mounted: everything is at its own path, and what would be in memory isn't there. Throws
 * WallError where that would give more than the specification says.
 */
export function compileShared(spec: WallSpec, host: HostCapabilities): CompiledWall {
  const architecture = requireFilters(host);
  // Without ports there is no network wall at all; without scopes it could end the owner's processes.
  if (host.landlock < FULL_ABI)
    throw new WallError("landlock", `without namespaces Landlock ABI ${FULL_ABI} is needed`, {
      hint: "boot a kernel of Linux 6.12 or later, or allow user namespaces",
    });
  const { mounts, left } = inPlace(spec.mounts);
  const { proxy, outside } = spec.network;
  if (proxy !== undefined && !spec.network.tcp.includes(proxy))
    throw new WallError("spec", `wall specification: port ${proxy} is no listener`);
  if (spec.network.dial !== undefined)
    throw new WallError("user-namespaces", "what answers connections needs a network of its own", {
      hint: "allow user namespaces, or apply the declaration anew if it concedes them: seawall up",
    });
  const listened = proxy === undefined ? [] : [proxy];
  const tcp = [...listened, ...(outside === undefined ? [] : [outside])];
  const shown: WallSpec = {
    ...spec,
    namespaces: "own",
    mounts,
    network: { ...spec.network, tcp, udp: [] },
  };
  const ruleset = compileLandlock(shown, host.landlock, host.loaders, "host");
  if (ruleset === undefined) throw new WallError("landlock", "this kernel has no Landlock");
  const limits = compileLimits(spec.limits, host.cgroups, {
    ownNamespaces: false,
    countsProcesses: host.countsProcesses,
  });
  const policy = walledPolicy({
    processes: spec.processes,
    sockets: "tcp",
    shared: true,
    together: spec.together === true,
  });
  const operations: readonly Operation[] = [
    ...prelude(spec, limits, true),
    ...expected(mounts),
    ...listened.map(
      (port) => ({ op: "listen", protocol: "tcp", family: 4, port, local: true }) as const,
    ),
    ...(listened.length > 0 ? [{ op: "acknowledged" } as const] : []),
    { op: "no-new-privileges" },
    { op: "capabilities", bounding: false, securebits: false },
    { op: "landlock", ruleset },
    { op: "filter", filter: compileFilter(policy, architecture) },
    { op: "descriptors", keep: [] },
    { op: "ready" },
    {
      op: "execute",
      once: spec.processes === "one",
      path: spec.command[0],
      arguments: spec.command,
      environment: Object.entries(spec.environment)
        .map(([name, value]) => `${name}=${value}`)
        .toSorted(),
    },
  ];
  return {
    bwrap: undefined,
    files: [],
    policy: encodePolicy(operations),
    group: limits.group,
    ...(spec.together === true ? { together: true } : {}),
    mechanisms: [
      ...describe(host, { spec, tcp, left }),
      ...(limits.report === undefined ? [] : [limits.report]),
    ],
  };
}

/**
 * Of the host's /proc: what is of the machine, and of the first process itself. All of it would show
 * other processes' arguments, which may hold a key.
 */
const PROC = "self cpuinfo meminfo stat version uptime loadavg filesystems"
  .split(" ")
  .map((name) => `/proc/${name}`);

/**
 * The mounts that can be had without mounting: files and folders at their own path. What can't be had is
 * left out, and named; what would be looser than the specification is refused.
 */
function inPlace(mounts: readonly Mount[]): {
  readonly mounts: readonly Mount[];
  readonly left: readonly string[];
} {
  const kept: Mount[] = [];
  const left: string[] = [];
  for (const mount of mounts)
    switch (mount.kind) {
      case "read":
      case "write":
        if (mount.from !== mount.to) {
          left.push(mount.to);
          break;
        }
        if (mount.kind === "read") refuseLooser(mount.to, kept);
        kept.push(mount);
        break;
      case "sealed":
        // Landlock gives rights over all that is below a folder; here it gives none to the folder itself.
        if (kept.some((other) => "from" in other && isBelow(mount.to, other.to)))
          fail(`what is denied in "${mount.to}" is inside of what is allowed`);
        break;
      case "proc":
        for (const path of PROC) kept.push({ kind: "read", from: path, to: path });
        break;
      case "devices":
        kept.push(mount);
        break;
      case "file":
      case "memory":
        left.push(mount.to);
        break;
      case "link":
        // The host's own, or not there; Landlock looks at what it leads to.
        break;
      default:
        mount satisfies never;
    }
  return { mounts: kept, left };
}

function refuseLooser(path: string, kept: readonly Mount[]): void {
  const around = kept.find((mount) => mount.kind === "write" && isBelow(path, mount.to));
  if (around !== undefined) fail(`"${path}" can't be read-only inside the writable "${around.to}"`);
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function fail(message: string): never {
  throw new WallError("protect", `without user namespaces ${message}`, {
    hint: "allow user namespaces, or less than the whole folder",
  });
}

interface Shape {
  readonly spec: WallSpec;
  readonly tcp: readonly number[];
  readonly left: readonly string[];
}

function describe(host: HostCapabilities, { spec, tcp, left }: Shape): readonly MechanismReport[] {
  const { bind } = spec.network;
  const [port] = tcp;
  const ends = spec.together === true ? "" : ", and what it starts may outlive it";
  const { reason, remedy } = whyNot(host);
  const missing = left.length === 0 ? "" : `; not there: ${left.join(", ")}`;
  const reached = port === undefined ? "no TCP port" : `TCP port ${port} only, but of any host`;
  const bound =
    bind.length === 0
      ? ""
      : `, and its own ${bind.join(", ")}, of any host, which it can serve to whoever reaches this one`;
  return [
    {
      mechanism: "namespaces",
      state: "missing",
      detail: `conceded (${reason}): files by Landlock alone, so that names and sizes are seen where contents are not; ids of processes are seen${ends}${missing}`,
      ...(remedy === undefined ? {} : { remedy }),
    },
    {
      mechanism: "network",
      state: "partly",
      detail: `${reached}, by Landlock${bound}; no UDP and no Unix sockets, by seccomp`,
    },
    { mechanism: "landlock", state: "enforced", detail: `ABI ${host.landlock}` },
    {
      mechanism: "execution",
      state: "partly",
      detail:
        "only what is granted is executed; what may be read can be run through the dynamic loader",
    },
    { mechanism: "seccomp", state: "enforced", detail: "what isn't allowed by name is refused" },
    { mechanism: "capabilities", state: "enforced", detail: "none, and no new privileges" },
  ];
}

function whyNot(host: HostCapabilities): { readonly reason: string; readonly remedy?: string } {
  if (!host.namespaces.ok) return host.namespaces;
  if (hasNamespaces(host))
    return {
      reason: "there were none when this was applied",
      remedy: "apply the declaration anew, since there are now: seawall up",
    };
  return { reason: "bubblewrap is missing or too old" };
}
