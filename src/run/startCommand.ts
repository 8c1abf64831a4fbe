import {
  spawn,
  type ChildProcess,
  type SendHandle,
  type Serializable,
  type StdioOptions,
} from "node:child_process";
import { closeSync, readFileSync } from "node:fs";
import { Writable } from "node:stream";
import type { WallSpec } from "../wall/index.ts";
import { completePolicy, type CompiledRun } from "./compileRun.ts";
import type { PolicyStore } from "./policyStore.ts";

/** As in src/wall/namespaces/arguments.ts, which takes longer to load than this. */
const LAUNCHER_INSIDE = "/run/seawall/launch";
const CHANNEL = 3;
const POLICY = 4;
const ARGUMENTS = 5;
const FIRST_FILE = 6;
const STOP_POLL_MS = 200;

/** What is passed on to the command. Those a terminal sends reach it by themselves, see `forwarded`. */
const SIGNALS = ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

export interface StartCommandOptions {
  readonly spec: WallSpec;
  readonly compiled: CompiledRun;
  readonly launcher: string;
  readonly store: PolicyStore;
  /** For a command with a network: what the launcher sends. */
  readonly onMessage?: (message: unknown, handle: unknown) => void;
  /** Its own words instead of this process's standard streams; for tests. */
  readonly stdio?: readonly [number | "ignore", number, number];
  /** A program to start everything in, and what it is given first. */
  readonly through?: readonly string[];
}

/** A command that runs behind its wall, with this process's standard streams and terminal. */
export interface RunningCommand {
  /** To the launcher's dialer. */
  send(message: unknown, handle?: unknown): void;
  /** Ends it at once, with all it started. */
  kill(): void;
  readonly ended: Promise<CommandEnd>;
}

export interface CommandEnd {
  /** As a shell has it: 128 + signal for a command that was killed. */
  readonly code: number;
  /** False when bubblewrap could not even begin. */
  readonly started: boolean;
}

/**
 * Starts a command with the standard streams of this process, in its process group and session, so
 * that the terminal's job control works as for any command. Signals that this process gets are passed
 * on to the command, except those that the terminal has already sent to both.
 *
 * Throws nothing: a start that fails shows in `ended`.
 */
export async function startCommand(options: StartCommandOptions): Promise<RunningCommand> {
  const { spec, compiled, launcher, store, onMessage, stdio = [0, 1, 2], through = [] } = options;
  const status = store.descriptorOf("");
  const statusNumber = FIRST_FILE + compiled.files.length;
  const { bwrap } = compiled;
  const args = ["--json-status-fd", String(statusNumber), ...(bwrap ?? [])];
  const policy = completePolicy(compiled, spec);
  // What is read first, to its end, before anything is done; see `group` below.
  const first = bwrap === undefined ? policy : args.map((text) => `${text}\0`).join("");
  const firstPlace = bwrap === undefined ? POLICY : ARGUMENTS;
  const inputs = [
    store.descriptorOf(policy),
    ...(bwrap === undefined
      ? []
      : [first, ...compiled.files].map((text) => store.descriptorOf(text))),
  ];
  const channel = onMessage === undefined ? [] : ["--channel-fd", String(CHANNEL)];
  const launch = ["--policy-fd", String(POLICY), ...channel];
  const command =
    bwrap === undefined
      ? [launcher, ...launch, "--parent", String(process.pid)]
      : [
          launcher,
          "--undisturbed",
          compiled.program,
          "--args",
          String(ARGUMENTS),
          "--",
          LAUNCHER_INSIDE,
          ...launch,
        ];
  const group = await makeRunGroup(compiled);
  const [program = "", ...words] = [...group.through, ...through, ...command];
  const ports: StdioOptions = [
    ...stdio,
    onMessage === undefined ? "ignore" : "ipc",
    ...inputs.map((fd, index) =>
      POLICY + index === firstPlace && group.join !== undefined ? "pipe" : fd,
    ),
    status,
  ];
  const child = spawn(program, words, { stdio: ports, env: group.env, cwd: "/" });
  for (const fd of inputs) closeSync(fd);
  if (child.pid !== undefined) group.join?.(child.pid);
  // Bubblewrap does nothing before it has its arguments, the launcher nothing before its policy: it is
  // in its group by then.
  const waiting: unknown = (child.stdio as readonly unknown[])[firstPlace];
  if (waiting instanceof Writable) waiting.on("error", () => undefined).end(first);
  if (onMessage !== undefined) child.on("message", onMessage);
  const { promise: ended, resolve } = Promise.withResolvers<CommandEnd>();
  const pidOf = (): number | undefined =>
    bwrap === undefined ? child.pid : commandPid(child, status);
  const stopForwarding = forwardSignals(child, pidOf, spec.terminal === true);
  let over = false;
  const end = (code: number): void => {
    if (over) return;
    over = true;
    stopForwarding();
    group.leave();
    const started = bwrap === undefined || readStatus(status).includes('"exit-code"');
    closeSync(status);
    resolve({ code, started });
  };
  child.on("error", () => {
    if (child.pid === undefined) end(127);
  });
  child.on("exit", (code, signal) => {
    end(code ?? 128 + signalNumber(signal));
  });
  return {
    ended,
    send(message, handle) {
      if (child.connected)
        child.send(message as Serializable, handle as SendHandle | undefined, () => undefined);
    },
    kill() {
      child.kill("SIGKILL");
    },
  };
}

interface RunGroup {
  readonly through: readonly string[];
  readonly env: Record<string, string>;
  readonly join?: (pid: number) => void;
  leave(): void;
}

/** Limits of many processes together need a control group. */
async function makeRunGroup({ group }: CompiledRun): Promise<RunGroup> {
  if (group === undefined) return { through: [], env: {}, leave: () => undefined };
  const { busEnvironment, makeGroup } = await import("../wall/index.ts");
  if (group.by === "systemd")
    return { through: group.command, env: busEnvironment(), leave: () => undefined };
  const made = makeGroup(group);
  return { through: [], env: {}, join: (pid) => made.join(pid), leave: () => made.remove() };
}

/** Node reports a signal by its name only. */
function signalNumber(signal: NodeJS.Signals | null): number {
  const numbers: Readonly<Record<string, number>> = {
    SIGHUP: 1,
    SIGINT: 2,
    SIGQUIT: 3,
    SIGKILL: 9,
    SIGTERM: 15,
  };
  return numbers[signal ?? ""] ?? 0;
}

type PidOf = () => number | undefined;

function forwardSignals(child: ChildProcess, pidOf: PidOf, terminal: boolean): () => void {
  const handlers = SIGNALS.map((signal) => {
    // Ctrl-C and Ctrl-\ go to the whole group in the foreground: the command has had its own.
    const forwarded = !terminal || (signal !== "SIGINT" && signal !== "SIGQUIT");
    const handler = (): void => {
      if (forwarded) signalCommand(child, pidOf, signal);
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  const resumed = (): void => signalCommand(child, pidOf, "SIGCONT");
  if (terminal) process.on("SIGCONT", resumed);
  // A program that stops itself (an editor at Ctrl-Z) stops nobody else: the shell has to see it too.
  const poll = terminal
    ? setInterval(() => {
        const pid = pidOf();
        if (pid !== undefined && isStopped(pid)) process.kill(process.pid, "SIGSTOP");
      }, STOP_POLL_MS).unref()
    : undefined;
  return () => {
    clearInterval(poll);
    process.off("SIGCONT", resumed);
    for (const { signal, handler } of handlers) process.off(signal, handler);
  };
}

function signalCommand(child: ChildProcess, pidOf: PidOf, signal: NodeJS.Signals): void {
  const pid = pidOf();
  try {
    if (pid !== undefined) process.kill(pid, signal);
    // Nothing runs yet, and nothing has to.
    else if (signal !== "SIGCONT") child.kill("SIGKILL");
  } catch {
    // It has just ended.
  }
}

/**
 * The host pid of the command: the child of the namespace's first process, whose pid bubblewrap
 * reports. The launcher's dialer is one too, and told apart by its name.
 */
function commandPid(child: ChildProcess, status: number): number | undefined {
  const outer = /"child-pid": (\d+)/.exec(readStatus(status))?.[1];
  if (outer === undefined || child.pid === undefined) return undefined;
  const children = read(`/proc/${outer}/task/${outer}/children`).split(" ").filter(Boolean);
  const found = children.find((pid) => read(`/proc/${pid}/comm`).trim() !== "seawall-dialer");
  return found === undefined ? undefined : Number(found);
}

function isStopped(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) === "T";
}

/** What bubblewrap has written so far; read from the beginning whatever the offset is. */
function readStatus(status: number): string {
  return read(`/proc/self/fd/${status}`);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
