import { checkSpec, visibleLoaders, writableCode } from "./checkSpec.ts";
import { CHANNEL_DESCRIPTOR, FIRST_FILE_DESCRIPTOR } from "./CompiledWall.ts";
import type { CompiledWall } from "./CompiledWall.ts";
import type { HostCapabilities } from "./HostCapabilities.ts";
import type { CgroupAccess } from "./limits/CgroupAccess.ts";
import { compileShared, isShared } from "./compileShared.ts";
import { compileDialerLandlock, compileLandlock } from "./landlock/compile.ts";
import { describeLandlock } from "./landlock/describe.ts";
import { compileLimits } from "./limits/compile.ts";
import type { CompiledLimits } from "./limits/compile.ts";
import type { MechanismReport } from "./MechanismReport.ts";
import { compileBubblewrap } from "./namespaces/arguments.ts";
import { encodePolicy } from "./policy/encode.ts";
import { expected } from "./policy/expected.ts";
import { prelude } from "./policy/prelude.ts";
import type { Operation } from "./policy/Operation.ts";
import type { Instruction } from "./seccomp/bpf.ts";
import { compileSeatbeltWall } from "./seatbelt/compileSeatbeltWall.ts";
import { compileFilter } from "./seccomp/compile.ts";
import { dialerPolicy } from "./seccomp/dialerPolicy.ts";
import type { Architecture } from "./seccomp/syscalls.ts";
import { walledPolicy } from "./seccomp/walledPolicy.ts";
import { WallError } from "./WallError.ts";
import type { ServiceStart, WallSpec } from "./WallSpec.ts";

const DIAL_TIMEOUT_MS = 5000;
const NO_GROUPS: CgroupAccess = { kind: "none", reason: "no control group was asked for" };
/** SD_LISTEN_FDS_START. */
const FIRST_SOCKET = 3;

/** Filters that many walls have in common, for who compiles many: compiling one takes some milliseconds. */
export type SharedFilters = Map<string, readonly Instruction[]>;

/**
 * Turns a specification into what bubblewrap and seawall-launch are given. Pure: the same
 * specification on the same host gives the same bytes.
 *
 * Throws WallError: `spec` if the specification contradicts itself, and one of the codes with exit
 * status 4 if this host can't enforce it and the concession isn't named.
 */
export function compileWall(
  spec: WallSpec,
  host: HostCapabilities,
  filters: SharedFilters = new Map(),
): CompiledWall {
  checkSpec(spec);
  if (host.seatbelt !== undefined) return compileSeatbeltWall(spec);
  if (isShared(spec, host)) return compileShared(spec, host);
  const architecture = checkHost(spec, host);
  const landlock =
    spec.concessions.includes("no-landlock") && host.landlock < 1 ? 0 : host.landlock;
  const own = spec.namespaces === "own" && spec.service === undefined;
  // systemd bounds its own services.
  const cgroups = spec.groups === false ? NO_GROUPS : host.cgroups;
  const limits = compileLimits(spec.service === undefined ? spec.limits : {}, cgroups, {
    ownNamespaces: own,
    countsProcesses: host.countsProcesses,
  });
  const operations = [
    ...prelude(spec, limits, spec.namespaces === "host" && spec.service === undefined),
    ...(own ? mountOperations(spec, host) : []),
    ...(own ? networkOperations(spec, landlock, architecture) : []),
    ...confinement(spec, host, { landlock, architecture, limits, filters }),
  ];
  const input = own ? compileBubblewrap(spec, FIRST_FILE_DESCRIPTOR) : undefined;
  return {
    bwrap: input?.arguments,
    files: input?.files ?? [],
    policy: encodePolicy(operations),
    group: limits.group,
    mechanisms: describe(spec, host, landlock, limits),
  };
}

function checkHost(spec: WallSpec, host: HostCapabilities): Architecture {
  if (host.architecture === undefined)
    throw new WallError("architecture", "there is no system call table for this machine", {
      hint: "use x86-64 or arm64",
    });
  if (!host.seccomp)
    throw new WallError("seccomp", "this kernel has no seccomp filters", {
      hint: "boot a kernel with CONFIG_SECCOMP_FILTER",
    });
  if (host.landlock < 1 && !spec.concessions.includes("no-landlock"))
    throw new WallError("landlock", "this kernel has no Landlock", {
      hint: 'add landlock to the kernel\'s lsm= parameter, or name the concession "no-landlock"',
    });
  if (spec.namespaces === "host" || spec.service !== undefined) return host.architecture;
  if (host.bubblewrap === undefined)
    throw new WallError("bubblewrap-missing", "bubblewrap is not installed", {
      hint: remedyOf(host, "bubblewrap") ?? "install bubblewrap",
    });
  if (!host.bubblewrap.recent)
    throw new WallError("bubblewrap-old", `bubblewrap ${host.bubblewrap.version} is too old`, {
      hint: remedyOf(host, "bubblewrap") ?? "install bubblewrap 0.7.0 or later",
    });
  if (!host.namespaces.ok)
    throw new WallError("user-namespaces", `no user namespaces: ${host.namespaces.reason}`, {
      hint: host.namespaces.remedy ?? "allow unprivileged user namespaces",
    });
  if (!host.noexec && !spec.concessions.includes("no-landlock"))
    throw new WallError("landlock", "mounts can't be made noexec from inside", {
      hint: 'boot a kernel of Linux 5.12 or later, or name the concession "no-landlock"',
    });
  return host.architecture;
}

function remedyOf(host: HostCapabilities, mechanism: string): string | undefined {
  return host.mechanisms.find((report) => report.mechanism === mechanism)?.remedy;
}

/** Everything that isn't granted as code becomes data. */
function mountOperations(spec: WallSpec, host: HostCapabilities): readonly Operation[] {
  const seen = expected(spec.mounts);
  if (!host.noexec) return seen;
  const code = [spec.command[0], ...spec.execute, ...visibleLoaders(spec, host), ...spec.libraries];
  return [...seen, { op: "code", paths: [...new Set(code)] }];
}

function networkOperations(
  spec: WallSpec,
  landlock: number,
  architecture: Architecture,
): readonly Operation[] {
  const { tcp, udp, dial, socket } = spec.network;
  const listeners: readonly Operation[] = [
    ...(socket === undefined ? [] : [{ op: "socket", ...socket } as const]),
    ...tcp.flatMap((port) => listenOperations("tcp", port)),
    ...udp.flatMap((port) => listenOperations("udp", port)),
  ];
  return [
    { op: "loopback" },
    ...listeners,
    ...(listeners.length > 0 ? [{ op: "acknowledged" } as const] : []),
    ...(dial === undefined
      ? []
      : [
          {
            op: "dialer",
            port: dial,
            timeoutMs: DIAL_TIMEOUT_MS,
            landlock: compileDialerLandlock(dial, landlock),
            filter: compileFilter(dialerPolicy(), architecture),
          } as const,
        ]),
    { op: "user-namespace", ...spec.identity },
  ];
}

function listenOperations(protocol: "tcp" | "udp", port: number): readonly Operation[] {
  return ([4, 6] as const).map((family) => ({ op: "listen", protocol, family, port }));
}

interface Confinement {
  readonly landlock: number;
  readonly architecture: Architecture;
  readonly limits: CompiledLimits;
  readonly filters: SharedFilters;
}

function confinement(
  spec: WallSpec,
  host: HostCapabilities,
  { landlock, architecture, limits, filters }: Confinement,
): readonly Operation[] {
  const { service } = spec;
  const own = spec.namespaces === "own" && service === undefined;
  const supervised = spec.namespaces === "host" && service === undefined;
  const ruleset = compileLandlock(spec, landlock, visibleLoaders(spec, host));
  const options = { processes: spec.processes, unixSockets: service?.unixSockets === true };
  const key = JSON.stringify([options, architecture]);
  const filter = filters.get(key) ?? compileFilter(walledPolicy(options), architecture);
  filters.set(key, filter);
  // In the host's namespaces the channel is the command's own: Node finds it by these variables.
  const channel = {
    NODE_CHANNEL_FD: String(CHANNEL_DESCRIPTOR),
    NODE_CHANNEL_SERIALIZATION_MODE: "json",
  };
  const environment = Object.entries(
    supervised ? { ...spec.environment, ...channel } : spec.environment,
  )
    .map(([name, value]) => `${name}=${value}`)
    .toSorted();
  return [
    ...limits.late.map((limit) => ({ op: "limit", ...limit }) as const),
    ...serviceOperations(service),
    { op: "no-new-privileges" },
    // Outside a user namespace of its own the process may not touch the other two, nor need it.
    // A unit gives its service none to begin with, and has no capset(2).
    ...(service === undefined
      ? [{ op: "capabilities", bounding: own, securebits: own } as const]
      : []),
    ...(ruleset === undefined ? [] : [{ op: "landlock", ruleset } as const]),
    { op: "filter", filter },
    { op: "descriptors", keep: supervised ? [CHANNEL_DESCRIPTOR] : serviceDescriptors(service) },
    { op: "ready" },
    {
      op: "execute",
      once: spec.processes === "one",
      path: spec.command[0],
      arguments: spec.command,
      environment,
    },
  ];
}

function serviceOperations(service: ServiceStart | undefined): readonly Operation[] {
  if (service === undefined) return [];
  const { environment, notifies, sockets } = service;
  return [
    { op: "pass", names: environment.toSorted() },
    ...(notifies ? [{ op: "notify", descriptor: FIRST_SOCKET + sockets } as const] : []),
  ];
}

function serviceDescriptors(service: ServiceStart | undefined): readonly number[] {
  if (service === undefined) return [];
  const { sockets, notifies } = service;
  return Array.from({ length: sockets + (notifies ? 1 : 0) }, (_, index) => FIRST_SOCKET + index);
}

function describe(
  spec: WallSpec,
  host: HostCapabilities,
  landlock: number,
  limits: CompiledLimits,
): readonly MechanismReport[] {
  const own = spec.namespaces === "own";
  return [
    ...(own
      ? [
          enforced("namespaces", "user, mount, pid, network, ipc, uts and cgroup of its own"),
          enforced(
            "network",
            `every address is local; ${spec.network.tcp.length} TCP and ${spec.network.udp.length} UDP ports reach the broker`,
          ),
        ]
      : []),
    describeLandlock(spec.namespaces, landlock),
    ...(own ? [describeExecution(spec, host)] : []),
    enforced("seccomp", "what isn't allowed by name is refused"),
    enforced(
      "capabilities",
      own ? "none, none to be had, and no new privileges" : "none, and no new privileges",
    ),
    ...(spec.processes === "one"
      ? [enforced("processes", "threads only: no second process, no second exec")]
      : []),
    ...describeProtection(spec),
    ...(limits.report === undefined ? [] : [limits.report]),
    ...(own && !host.ipv6
      ? [
          {
            mechanism: "ipv6",
            state: "missing",
            detail: "this kernel has no IPv6, so nothing goes out by it either",
          } as const,
        ]
      : []),
  ];
}

function describeExecution(spec: WallSpec, { noexec }: HostCapabilities): MechanismReport {
  const mechanism = "execution";
  if (!noexec)
    return {
      mechanism,
      state: "partly",
      detail: "what may be read can be run through the dynamic loader",
      remedy: "boot a kernel of Linux 5.12 or later",
    };
  const own = writableCode(spec);
  if (own.length === 0)
    return enforced(mechanism, "only the granted programs and their libraries are code");
  return {
    mechanism,
    state: "partly",
    detail: `what the process writes in ${own.join(", ")} can be loaded as code`,
  };
}

/** Only where something was protected. */
function describeProtection(spec: WallSpec): readonly MechanismReport[] {
  const { unprotected } = spec;
  if (unprotected === undefined) return [];
  const mechanism = "protection";
  if (unprotected.length === 0)
    return [enforced(mechanism, "protected paths can't be had or made")];
  const more = unprotected.length > 3 ? `, and ${unprotected.length - 3} more` : "";
  return [
    {
      mechanism,
      state: "partly",
      detail: `these don't exist and can be made: ${unprotected.slice(0, 3).join(", ")}${more}`,
    },
  ];
}

function enforced(mechanism: MechanismReport["mechanism"], detail: string): MechanismReport {
  return { mechanism, state: "enforced", detail };
}
