import { userInfo } from "node:os";
import { basename } from "node:path";
import { isBelow, type Entry, type Policy } from "../profiles/index.ts";
import type { Mount, WallSpec } from "../wall/index.ts";
import { systemFiles } from "./baseFiles.ts";
import type { Program } from "./findProgram.ts";
import { isShown, type Layout } from "./layOut.ts";

/** More than this would be memory of the host's. */
const TMP_BYTES = 512 * 1024 * 1024;
const DNS_PORT = 53;

/** What the network of a run is: nothing, or ports that the broker answers at. */
export interface RunNetwork {
  readonly tcp: readonly number[];
  /** Port inside that the host reaches. */
  readonly dial?: number;
  /** Variables with phantoms, and what makes clients trust the broker. */
  readonly environment: Readonly<Record<string, string>>;
  /** PEM text that stands for the host's own bundle of CAs. */
  readonly trust?: string;
  /** Which of `tcp` is an explicit proxy. */
  readonly proxy?: number;
}

/** Where the CAs are that a broker's certificates come from; a place that nothing can be granted at. */
export const CA_BUNDLE = "/run/seawall/ca-certificates.crt";
/** Where most programs look if nobody tells them. */
const USUAL_CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt";
export const NO_NETWORK: RunNetwork = { tcp: [], environment: {} };

export interface RunSpecInput {
  readonly policy: Policy;
  readonly layout: Layout;
  readonly program: Program;
  readonly args: readonly string[];
  readonly workdir: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly interpreter: Program | undefined;
  readonly network: RunNetwork;
  /** Libraries that the programs load; see `loadedCode`. */
  readonly code: readonly string[];
}

/** The wall of one command, in the terms of the wall room. */
export function runSpec(input: RunSpecInput): WallSpec {
  const { policy, layout, workdir, network } = input;
  const ids = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const places = layout.places;
  const shown = places.some(
    (place) => place.folder && (place.path === workdir || isBelow(workdir, place.path)),
  );
  const programs = layout.programs.map(({ path }) => path);
  return {
    command: commandLine(input),
    cwd: shown ? workdir : "/",
    environment: runEnvironment(input),
    identity: ids,
    hostname: "seawall",
    mounts: mountsOf(input, ids),
    network: {
      tcp: network.tcp,
      udp: network.tcp.length > 0 ? [DNS_PORT] : [],
      bind: [
        ...new Set([
          ...policy.network.bind.map(({ value }) => value),
          ...policy.network.listenPort.map(({ value }) => value),
        ]),
      ].toSorted((a, b) => a - b),
      ...(network.dial === undefined ? {} : { dial: network.dial }),
      ...(network.proxy === undefined ? {} : { proxy: network.proxy }),
    },
    execute: programs,
    libraries: [...new Set([...layout.libraries, ...input.code])].filter((path) =>
      isShown(path, places),
    ),
    protect: layout.exceptions.map(({ path, access, absent }) => ({ path, access, absent })),
    limits: Object.fromEntries(
      Object.entries(policy.limits).map(([name, { value }]) => [name, value]),
    ),
    ...(ids.uid !== 0 && Object.values(policy.limits).every(isUsual) ? { groups: false } : {}),
    processes: "any",
    namespaces: "own",
    concessions: [...new Set(policy.concessions.map(({ value }) => value))].toSorted(),
  };
}

/**
 * Whether a built-in profile says so. Nobody asked for these limits, so they must not cost the
 * start a control group, which systemd-run takes tens of milliseconds to make; rlimits stop a
 * runaway as well, though memory by each process. Root's processes the kernel doesn't count by
 * rlimit (kernel/fork.c), so root gets its group.
 */
function isUsual({ origin }: Entry<number>): boolean {
  return origin.kind === "profile" && origin.file === undefined;
}

/** A script is given to its interpreter as text, so that the file itself needs no right to run. */
function commandLine({ program, interpreter, args }: RunSpecInput): WallSpec["command"] {
  if (program.interpreter === undefined || interpreter === undefined)
    return [program.path, ...args];
  const [, ...words] = program.interpreter;
  return [interpreter.path, ...words, program.real, ...args];
}

function mountsOf(input: RunSpecInput, ids: { uid: number; gid: number }): readonly Mount[] {
  const { layout, home, env, network } = input;
  const { places, links, programs } = layout;
  const shell = programs.find(({ path }) => basename(path) === "sh")?.path ?? "/usr/sbin/nologin";
  const person = { ...ids, name: userName(env), home, shell };
  const generated: readonly Mount[] = [
    ...systemFiles(person),
    ...(network.trust === undefined
      ? []
      : [CA_BUNDLE, USUAL_CA_BUNDLE].map(
          (to) => ({ kind: "file", to, text: network.trust ?? "" }) as const,
        )),
  ].filter((mount) => !isShown(mount.to, places));
  const own: readonly Mount[] = [
    { kind: "memory", to: "/tmp", size: TMP_BYTES },
    ...places.map(({ path, read, write }): Mount => {
      if (!write) return { kind: "read", from: path, to: path };
      return { kind: "write", from: path, to: path, ...(read ? {} : { unreadable: true }) };
    }),
    ...programs
      .filter(({ path }) => !isShown(path, places))
      .map(({ path, real }): Mount => ({ kind: "read", from: real, to: path })),
    ...links
      .filter(({ path }) => !isShown(path, places))
      .map(({ path, target }): Mount => ({ kind: "link", to: path, target })),
    ...binLink(
      programs.map(({ path }) => path),
      links.map(({ path }) => path),
    ),
    ...generated,
  ];
  // A folder comes before what lies in it.
  return [
    { kind: "proc", to: "/proc" },
    { kind: "devices", to: "/dev" },
    ...own.toSorted((a, b) => depth(a.to) - depth(b.to) || (a.to < b.to ? -1 : 1)),
  ];
}

/** Scripts name `/bin/sh` whether or not that is where the system keeps it. */
function binLink(programs: readonly string[], links: readonly string[]): readonly Mount[] {
  const taken = links.includes("/bin") || programs.some((path) => path.startsWith("/bin/"));
  return taken ? [] : [{ kind: "link", to: "/bin", target: "usr/bin" }];
}

function depth(path: string): number {
  return path.split("/").length;
}

/** The few variables that say who and where one is and how to print; everything else stays outside. */
const PASSED = ["TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "LANG", "LANGUAGE", "LC_*", "TZ"];

function runEnvironment({
  policy,
  layout,
  home,
  env,
  network,
  workdir,
}: RunSpecInput): Record<string, string> {
  const folders = layout.programs.map(({ path }) => path.slice(0, path.lastIndexOf("/")));
  const wanted = [...PASSED, ...policy.environment.allow.map(({ value }) => value)];
  const passed = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && wanted.some((pattern) => fits(name, pattern))
      ? [[name, value] as const]
      : [],
  );
  const name = userName(env);
  return {
    ...Object.fromEntries(passed),
    HOME: home,
    USER: name,
    LOGNAME: name,
    PATH: [...new Set(orderLike(folders, env["PATH"] ?? ""))].join(":") || "/usr/bin",
    PWD: workdir,
    TMPDIR: "/tmp",
    ...network.environment,
    ...Object.fromEntries(policy.environment.set.map(({ value }) => [value.name, value.value])),
  };
}

/** In the order in which the person's own PATH has them. */
function orderLike(folders: readonly string[], path: string): readonly string[] {
  const order = path.split(":");
  const rank = (folder: string): number => {
    const at = order.indexOf(folder);
    return at === -1 ? order.length : at;
  };
  return folders.toSorted((a, b) => rank(a) - rank(b));
}

function fits(name: string, pattern: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function userName(env: Readonly<Record<string, string | undefined>>): string {
  const name = env["USER"] ?? "";
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) return name;
  try {
    return userInfo().username;
  } catch {
    return "user";
  }
}
