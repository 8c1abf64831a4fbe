import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { CompiledWall, SeatbeltProof } from "../CompiledWall.ts";
import type { MechanismReport } from "../MechanismReport.ts";
import { WallError } from "../WallError.ts";
import type { ResourceLimits, WallSpec } from "../WallSpec.ts";
import { compileSeatbelt } from "./compileSeatbelt.ts";

/**
 * The wall on macOS: a Seatbelt profile, and no namespace of any kind, which a bot has to concede
 * (`no-user-namespaces`). Seatbelt looks at paths with links followed (`/tmp` is `/private/tmp`), so the
 * profile names where each leads to.
 *
 * Throws WallError `user-namespaces` where that isn't conceded, `seatbelt` for what can't be had here.
 *
 * @param real where a path leads to; this host's own view where left out.
 */
export function compileSeatbeltWall(
  spec: WallSpec,
  real: (path: string) => string = follow,
): CompiledWall {
  const { tcp, udp, socket, dial, outside } = spec.network;
  if (spec.service !== undefined) throw new WallError("seatbelt", "macOS has no systemd");
  if (spec.namespaces === "own") {
    if (!spec.concessions.includes("no-user-namespaces"))
      throw new WallError("user-namespaces", "macOS has no namespaces");
    if (tcp.length > 0 || udp.length > 0 || socket !== undefined || dial !== undefined)
      throw new WallError("user-namespaces", "what listens for a bot needs a network of its own");
  }
  const { mounts, left } = inPlace(spec.mounts);
  const shown: WallSpec = {
    ...spec,
    command: [real(spec.command[0]), ...spec.command.slice(1)],
    cwd: real(spec.cwd),
    mounts: mounts.map((mount) =>
      "from" in mount ? { ...mount, from: real(mount.from), to: real(mount.to) } : mount,
    ),
    execute: spec.execute.map(real),
    libraries: spec.libraries.map(real),
    protect: spec.protect.map((each) => ({ ...each, path: real(each.path) })),
  };
  const proof = spec.namespaces === "own" ? proofOf(shown) : undefined;
  const { openFiles, fileSize } = spec.limits;
  return {
    bwrap: undefined,
    files: [],
    policy: new Uint8Array(),
    group: undefined,
    seatbelt: {
      profile: compileSeatbelt(shown),
      command: spec.command,
      cwd: spec.cwd,
      // Else OpenSSL looks for the one of whoever built this Node, and one that it may not read ends it.
      environment: { OPENSSL_CONF: "/dev/null", ...spec.environment },
      ...(openFiles === undefined ? {} : { openFiles }),
      ...(fileSize === undefined ? {} : { fileSize }),
      channel: spec.processes === "one",
      ...(proof === undefined ? {} : { proof }),
    },
    mechanisms: describe(spec, outside, left),
  };
}

/** What can be had without mounting, as `compileShared` has it; the rest is left out, and named. */
function inPlace(mounts: WallSpec["mounts"]): {
  readonly mounts: WallSpec["mounts"];
  readonly left: readonly string[];
} {
  const left: string[] = [];
  const kept = mounts.filter((mount) => {
    if (mount.kind === "sealed" || mount.kind === "file" || mount.kind === "memory") {
      left.push(mount.to);
      return false;
    }
    return mount.kind === "read" || mount.kind === "write";
  });
  return { mounts: kept, left };
}

function proofOf({ mounts, network, command, execute }: WallSpec): SeatbeltProof | undefined {
  const writes = mounts.findLast((mount) => mount.kind === "write");
  if (writes === undefined) return undefined;
  return {
    // Read by whoever starts, so it is a file that is there.
    reads: command[0],
    writes: writes.to,
    ...(network.outside === undefined ? {} : { connects: network.outside }),
    ...(network.bind[0] === undefined ? {} : { binds: network.bind[0] }),
    executes: [command[0], ...execute],
  };
}

function describe(
  { limits, network }: WallSpec,
  proxy: number | undefined,
  left: readonly string[],
): readonly MechanismReport[] {
  const missing = left.length === 0 ? "" : `; not there: ${left.join(", ")}`;
  const [own] = network.bind;
  return [
    {
      mechanism: "namespaces",
      state: "missing",
      detail: `macOS has none: names, sizes and owners of files are seen where contents are not, and what a bot starts in a session of its own may outlive it${missing}`,
    },
    {
      mechanism: "seatbelt",
      state: "enforced",
      detail:
        "files, execution, network and signals; tried at each start. Never run on a Mac by its makers",
    },
    {
      mechanism: "network",
      state: "partly",
      detail:
        proxy === undefined
          ? "nothing is asked of a proxy"
          : `the broker's proxy, port ${proxy} of this host's loopback${own === undefined ? "" : `, and its own, ${own}`}`,
    },
    ...limitsReport(limits),
  ];
}

function limitsReport({ memory, processes, cpu }: ResourceLimits): readonly MechanismReport[] {
  const lacking = Object.entries({ memory, processes, cpu }).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  if (lacking.length === 0) return [];
  return [
    { mechanism: "limits", state: "missing", detail: `macOS bounds no ${lacking.join(", no ")}` },
  ];
}

/** What isn't there yet is where its folder leads to. */
function follow(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(follow(parent), basename(path));
  }
}
