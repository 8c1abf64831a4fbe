import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { compileWall } from "../compileWall.ts";
import type { HostCapabilities } from "../HostCapabilities.ts";
import { probeHost } from "../probe/probeHost.ts";
import { placeProtections } from "../protect/placeProtections.ts";
import { LAUNCHER, NODE } from "./reachable.ts";
import { startWalled } from "../startWalled.ts";
import type { StartOptions, WalledExit, WalledProcess } from "../startWalled.ts";
import type { Mount, WallSpec } from "../WallSpec.ts";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));
export const ROOT = process.getuid?.() === 0;
/** As the supervisor does it: root gives each bot an unprivileged uid, others have their own only. */
export const SUBJECT = ROOT ? { uid: 1_879_050_000, gid: 1_879_050_000 } : {};

/** A temporary folder that the walled user owns, removed after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "seawall-wall-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  if (ROOT) chownSync(folder, SUBJECT.uid ?? 0, SUBJECT.gid ?? 0);
  return folder;
}

/** Compiles native/attempt.c into `folder`. */
export function buildAttempt(folder: string): string {
  const program = join(folder, "attempt");
  const source = join(PROJECT, "native/attempt.c");
  execFileSync("cc", ["-O1", "-std=gnu11", "-static", "-o", program, source]);
  return program;
}

export function probeSubject(): Promise<HostCapabilities> {
  return probeHost({ launcher: LAUNCHER, ...SUBJECT });
}

/** Why no walled process of its own namespaces can start here, for a visible skip. */
export function lacking(host: HostCapabilities): string | false {
  if (host.bubblewrap?.recent !== true) return "bubblewrap 0.7.0 or later is missing";
  if (!host.namespaces.ok) return `user namespaces are missing: ${host.namespaces.reason}`;
  if (host.landlock < 6) return `Landlock ABI 6 is missing, this is ${host.landlock}`;
  return host.seccomp ? false : "seccomp is missing";
}

const NODE_INSIDE = "/opt/node";

export const BASE_MOUNTS: readonly Mount[] = [
  { kind: "read", from: "/usr", to: "/usr" },
  ...["lib", "lib64", "bin"]
    .filter((name) => existsSync(`/usr/${name}`))
    .map((name) => ({ kind: "link", to: `/${name}`, target: `usr/${name}` }) as const),
  { kind: "read", from: NODE, to: NODE_INSIDE },
  { kind: "proc", to: "/proc" },
  { kind: "devices", to: "/dev" },
  { kind: "memory", to: "/tmp", size: 16 << 20 },
];

/** A wall like a bot's, whose command is this Node. */
export function specFor(code: string, changes: Partial<WallSpec> = {}): WallSpec {
  return {
    command: [changes.namespaces === "host" ? NODE : NODE_INSIDE, "-e", code],
    cwd: "/",
    environment: { PATH: "/usr/bin", SHELL: "none" },
    identity: { uid: 1000, gid: 1000 },
    hostname: "walled",
    mounts: BASE_MOUNTS,
    network: { tcp: [], udp: [], bind: [] },
    execute: [],
    libraries: ["/usr/lib"],
    protect: [],
    limits: {},
    processes: "any",
    namespaces: "own",
    concessions: [],
    ...changes,
  };
}

export interface Started {
  readonly process: WalledProcess;
  readonly output: () => string;
  readonly errors: () => string;
  /** Something has come on standard output. */
  readonly printed: Promise<void>;
  readonly finished: Promise<WalledExit>;
}

/** Compiles and starts; whatever still runs after the test is killed. */
export function start(
  t: TestContext,
  host: HostCapabilities,
  spec: WallSpec,
  onMessage: StartOptions["onMessage"] = () => undefined,
): Started {
  const walled = startWalled(compileWall(placeProtections(spec), host), {
    launcher: LAUNCHER,
    ...(spec.namespaces === "own" ? SUBJECT : {}),
    stdout: "pipe",
    stderr: "pipe",
    onMessage,
  });
  let output = "";
  let errors = "";
  const { promise: printed, resolve } = Promise.withResolvers<void>();
  walled.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    resolve();
  });
  walled.stderr?.setEncoding("utf8").on("data", (text: string) => (errors += text));
  t.after(async () => {
    walled.kill("SIGKILL");
    await walled.exited;
  });
  return {
    process: walled,
    output: () => output,
    errors: () => errors,
    printed,
    finished: walled.exited,
  };
}

/** A program that runs `body` (of an async function) and prints what it returns or throws as JSON. */
export function program(body: string): string {
  return `(async()=>{${body}})().then((value)=>({value}),(error)=>({error:error.code??error.message})).then((o)=>console.log(JSON.stringify(o)))`;
}

/** What `body` returned, or the code of what it threw. */
export interface Outcome {
  readonly value?: unknown;
  readonly error?: string;
}

/** Runs `body` behind the wall. */
export async function inside(
  t: TestContext,
  host: HostCapabilities,
  body: string,
  changes: Partial<WallSpec> = {},
): Promise<Outcome> {
  const started = start(t, host, specFor(program(body), changes));
  const exit = await started.finished;
  return parse(started.output(), `${started.errors()} ${JSON.stringify(exit)}`);
}

/** Runs `body` without a wall, as the same user: the control. */
export async function outside(body: string): Promise<Outcome> {
  const child = spawn(NODE, ["-e", program(body)], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: "/",
    ...SUBJECT,
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  child.stderr.on("data", (text: Buffer) => (errors += text.toString()));
  await new Promise((resolve) => child.on("close", resolve));
  return parse(output, errors);
}

function parse(output: string, errors: string): Outcome {
  const line = output.trim().split("\n").at(-1) ?? "";
  if (line === "") throw new Error(`no answer: ${errors}`);
  return JSON.parse(line) as Outcome;
}

/** Raw handles aren't in Node's types; all of them can be closed. */
export function closeHandle(handle: unknown): void {
  if (typeof handle === "object" && handle !== null && "close" in handle)
    (handle.close as () => void).call(handle);
}
