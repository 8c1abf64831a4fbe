import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { arch, release } from "node:os";
import { delimiter, join } from "node:path";
import type { Attempt, Bubblewrap, HostCapabilities } from "../HostCapabilities.ts";
import {
  BUBBLEWRAP_FLOOR,
  closingArguments,
  LAUNCHER_INSIDE,
  NAMESPACE_ARGUMENTS,
} from "../namespaces/arguments.ts";
import { probeCgroups } from "../limits/probe.ts";
import type { Architecture } from "../seccomp/syscalls.ts";
import { WallError } from "../WallError.ts";
import { probeSeatbelt } from "../seatbelt/probeSeatbelt.ts";
import { describeHost } from "./describeHost.ts";
import { readInterpreter } from "./readInterpreter.ts";
import { namespaceRemedy } from "./remedies.ts";
import { runProbe } from "./runProbe.ts";
import type { ProbeOptions } from "./runProbe.ts";

/** Where the C libraries put their ELF interpreter: glibc and musl, x86-64 and arm64. */
const LOADERS = [
  "/lib64/ld-linux-x86-64.so.2",
  "/lib/ld-linux-aarch64.so.1",
  "/lib/ld-musl-x86_64.so.1",
  "/lib/ld-musl-aarch64.so.1",
];

/**
 * Finds out what this host can enforce, by trying it as the user that will need it: `uid` and `gid`
 * if given (which only root can), else this process's own. Takes some tens of milliseconds and
 * leaves nothing behind.
 *
 * Throws WallError `launcher` if seawall-launch can't be run, on macOS `seatbelt`.
 */
export async function probeHost(options: ProbeOptions): Promise<HostCapabilities> {
  if ((options.platform ?? process.platform) === "darwin") return probeSeatbelt(options);
  const facts = await probeKernel(options);
  const bubblewrap = await probeBubblewrap(options);
  const { namespaces, noexec } =
    bubblewrap?.recent === true
      ? await tryBubblewrap(options, bubblewrap)
      : { namespaces: attempt(facts.namespaces, "making namespaces"), noexec: false };
  const found = {
    architecture: architecture(),
    kernel: release(),
    bubblewrap,
    namespaces,
    noexec,
    landlock: facts.landlock,
    seccomp: facts.seccomp,
    ipv6: facts.ipv6,
    cgroups: await probeCgroups(options.path ?? process.env["PATH"] ?? ""),
    countsProcesses: !isFirstUser(options.uid ?? process.getuid?.() ?? 0),
    loaders: loaders(),
  };
  return { ...found, mechanisms: describeHost(found) };
}

/**
 * Whether this uid is root outside of all user namespaces. What the namespace around this one calls 0
 * is taken for that: in a container inside a container it need not be, and then less is claimed than holds.
 */
export function isFirstUser(uid: number, map = readUidMap()): boolean {
  return map.some(([inside = -1, outside = -1, count = 0]) => {
    return uid >= inside && uid < inside + count && outside + (uid - inside) === 0;
  });
}

function readUidMap(): readonly (readonly number[])[] {
  try {
    const lines = readFileSync("/proc/self/uid_map", "utf8").trim().split("\n");
    return lines.map((line) => line.trim().split(/\s+/u).map(Number));
  } catch {
    // No /proc, or no user namespaces in this kernel.
    return [[0, 0, 0xffffffff]];
  }
}

function architecture(): Architecture | undefined {
  const names: Readonly<Record<string, Architecture>> = { x64: "x86_64", arm64: "aarch64" };
  return names[arch()];
}

interface Outcome {
  readonly ok: boolean;
  readonly step?: string;
  readonly error?: string;
}

/** What `seawall-launch --probe-inside` prints. */
interface Inside {
  readonly code: Outcome;
  readonly routes: Outcome;
  readonly nested: Outcome;
}

interface KernelFacts {
  readonly landlock: number;
  readonly seccomp: boolean;
  readonly ipv6: boolean;
  readonly namespaces: Outcome;
}

async function probeKernel(options: ProbeOptions): Promise<KernelFacts> {
  const run = await runProbe(options.launcher, ["--probe"], options);
  if (run.code !== 0)
    throw new WallError("launcher", `"${options.launcher}" can't be run: ${run.stderr}`, {
      hint: "build it with: make -C native",
    });
  return JSON.parse(run.stdout) as KernelFacts;
}

async function probeBubblewrap(options: ProbeOptions): Promise<Bubblewrap | undefined> {
  const path = findProgram("bwrap", options.path ?? process.env["PATH"] ?? "");
  if (path === undefined) return undefined;
  const { stdout } = await runProbe(path, ["--version"], options);
  const [, ...parts] = /(\d+)\.(\d+)\.(\d+)/u.exec(stdout) ?? [];
  const version = parts.length === 3 ? parts.join(".") : "of unknown version";
  return { path, version, recent: parts.length === 3 && isAtLeast(parts.map(Number)) };
}

function isAtLeast(version: readonly number[]): boolean {
  for (const [index, floor] of BUBBLEWRAP_FLOOR.entries()) {
    const part = version[index] ?? 0;
    if (part !== floor) return part > floor;
  }
  return true;
}

/** Does inside what every walled start does: routes in the new network, a nested user namespace. */
async function tryBubblewrap(
  options: ProbeOptions,
  { path }: Bubblewrap,
): Promise<{ readonly namespaces: Attempt; readonly noexec: boolean }> {
  const run = await runProbe(
    path,
    [
      ...NAMESPACE_ARGUMENTS,
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      ...closingArguments(options.launcher),
      "--",
      LAUNCHER_INSIDE,
      "--probe-inside",
    ],
    options,
  );
  if (run.code !== 0) {
    const [line = "bubblewrap failed"] = run.stderr.split("\n").filter((each) => each !== "");
    // Debian's adds where its own documentation is.
    return { namespaces: failed(line.replace(/\.(?: See <.*)?$/u, "")), noexec: false };
  }
  const inside = JSON.parse(run.stdout) as Inside;
  const routes = attempt(inside.routes, "setting up loopback inside");
  return {
    namespaces: routes.ok ? attempt(inside.nested, "nesting a user namespace") : routes,
    noexec: inside.code.ok,
  };
}

function attempt(outcome: Outcome, what: string): Attempt {
  if (outcome.ok) return { ok: true };
  return failed(`${what}: ${outcome.step ?? "unknown step"}: ${outcome.error ?? "unknown error"}`);
}

function failed(reason: string): Attempt {
  const remedy = namespaceRemedy();
  return { ok: false, reason, ...(remedy === undefined ? {} : { remedy }) };
}

function loaders(): readonly string[] {
  const own = readInterpreter(process.execPath);
  const known = own === undefined ? LOADERS : [...LOADERS, own];
  return [...new Set(known)].filter((path) => existsSync(path)).toSorted();
}

/** The first `name` on `path` that may be executed. */
function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
