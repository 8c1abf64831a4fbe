import { existsSync, lstatSync } from "node:fs";
import { compileWall } from "../compileWall.ts";
import { probeHost } from "../probe/probeHost.ts";
import { programFiles } from "../probe/programFiles.ts";
import { startWalled } from "../startWalled.ts";
import type { Mount } from "../WallSpec.ts";
import { readProfile, type Expression } from "./readProfile.ts";

/**
 * What stands in for sandbox-exec(1) on Linux: takes a profile for what it says and has Landlock and seccomp
 * enforce it, as far as they can. Files, execution, ports and signals they can; that a port is this host's
 * alone they can't.
 *
 * `node seatbeltStandIn.ts LAUNCHER -p PROFILE COMMAND…`
 */
const [launcher = "", , profile = "", ...command] = process.argv.slice(2);

const rules = readProfile(profile).filter(isList);

/** What a kind of operation is allowed for: the arguments of its filter, unquoted. */
function allowed(operation: string, filter: string): string[] {
  return rules
    .filter(([verdict, ...rest]) => verdict === "allow" && rest.includes(operation))
    .flatMap((rule) => rule.filter(isList))
    .flatMap(([name, ...words]) => (name === filter ? words : []))
    .filter((word) => typeof word === "string" && word.startsWith('"'))
    .map((word) => JSON.parse(String(word)) as string);
}

/** Ports of `(allow OPERATION (local|remote tcp "localhost:N"))`. */
function ports(operation: string, side: string): number[] {
  return allowed(operation, side).map((place) => Number(/^localhost:(\d+)$/u.exec(place)?.[1]));
}

function isList(each: Expression): each is readonly Expression[] {
  return typeof each !== "string";
}

function outermost(paths: readonly string[], others: readonly string[]): string[] {
  const all = [...new Set(paths)].filter(
    (path) =>
      path !== "/" &&
      !path.startsWith("/dev/") &&
      existsSync(path) &&
      !lstatSync(path).isSymbolicLink(),
  );
  return all.filter(
    (path) =>
      ![...all, ...others].some((other) => path.startsWith(`${other}/`) || others.includes(path)),
  );
}

const writes = outermost(allowed("file-write*", "subpath"), []);
const files = programFiles(allowed("process-exec", "literal").filter((path) => existsSync(path)));
const reads = outermost(
  [
    ...allowed("file-read*", "subpath"),
    ...allowed("file-read*", "literal"),
    ...files.mounts.flatMap((mount) => (mount.kind === "read" ? [mount.from] : [])),
  ],
  writes,
);
const bind = ports("network-bind", "local");
const [outside] = ports("network-outbound", "remote").filter((port) => !bind.includes(port));
const host = await probeHost({ launcher, platform: "linux" });
const wall = compileWall(
  {
    command: [command[0] ?? "", ...command.slice(1)],
    cwd: process.cwd(),
    environment: Object.fromEntries(
      Object.entries(process.env).map(([name, value]) => [name, value ?? ""]),
    ),
    identity: { uid: 1000, gid: 1000 },
    hostname: "bot",
    mounts: [
      { kind: "proc", to: "/proc" },
      { kind: "devices", to: "/dev" },
      ...reads.map((path): Mount => ({ kind: "read", from: path, to: path })),
      ...writes.map((path): Mount => ({ kind: "write", from: path, to: path })),
    ],
    network: { tcp: [], udp: [], bind, ...(outside === undefined ? {} : { outside }) },
    execute: allowed("process-exec", "literal").filter((path) => existsSync(path)),
    libraries: [],
    protect: [],
    limits: {},
    processes: "any",
    namespaces: "own",
    together: true,
    concessions: ["no-user-namespaces"],
  },
  { ...host, namespaces: { ok: false, reason: "it stands in for a system without" } },
);
const running = startWalled(wall, { launcher, stdout: 1, stderr: 2, onMessage: () => undefined });
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => running.kill(signal));
const { code, refusal } = await running.exited;
if (refusal !== undefined) process.stderr.write(`${refusal}\n`);
process.exitCode = code ?? 1;
