import { spawn } from "node:child_process";
import type { ChildProcess, SendHandle, Serializable, StdioOptions } from "node:child_process";
import type { Readable } from "node:stream";
import { CHANNEL_DESCRIPTOR, POLICY_DESCRIPTOR, ARGUMENTS_DESCRIPTOR } from "./CompiledWall.ts";
import type { CompiledWall } from "./CompiledWall.ts";
import { confinedPid } from "./confinedPid.ts";
import { makeGroup, type Group } from "./limits/apply.ts";
import { busEnvironment } from "./limits/probe.ts";
import { closingArguments, LAUNCHER_INSIDE } from "./namespaces/arguments.ts";
import { startSeatbelt } from "./seatbelt/startSeatbelt.ts";
import { WallError } from "./WallError.ts";

export interface StartOptions {
  /** Host path of seawall-launch; on macOS of sandbox-exec. The uid must be able to reach it, and all that is mounted. */
  readonly launcher: string;
  /** Host path of bubblewrap; `bwrap` on the PATH if not given. */
  readonly bwrap?: string;
  /** Whom to start as, which only root can say; the process inside sees `spec.identity`. */
  readonly uid?: number;
  readonly gid?: number;
  /** A descriptor, or `pipe`. Give a bot pipes: a descriptor of a file lets it truncate that file. */
  readonly stdout: number | "pipe";
  readonly stderr: number | "pipe";
  /**
   * What the launcher, and with the host's namespaces the process itself, sends. Handles arrive as
   * bare libuv handles: keep them, forward them with `send`, close them with `close()`.
   */
  readonly onMessage: (message: unknown, handle: unknown) => void;
}

/** How a walled process ended. */
export interface WalledExit {
  /** As a shell has it: 128 + signal if the confined process was killed behind bubblewrap. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it never ran, as the launcher put it. */
  readonly refusal?: string;
}

export interface WalledProcess {
  /** Of the outer process: bubblewrap, or the process itself in the host's namespaces. */
  readonly pid: number | undefined;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Once every layer is in force. Rejects with WallError `start` if that never comes to be. */
  walled(): Promise<void>;
  /**
   * The same with the host pid of the confined process. Rejects with WallError `start` also if that has ended
   * before it could be looked for, as one that is done quickly may have on a busy machine.
   */
  inner(): Promise<number>;
  /**
   * To the launcher's dialer: `{dial: true}`. With the host's namespaces, to the process. A handle
   * must stay open until `onSent`, which comes also when it could not be sent.
   */
  send(message: unknown, handle?: unknown, onSent?: () => void): void;
  /** Signals the confined process; before there is one, ends the start. False if nothing runs. */
  kill(signal: NodeJS.Signals): boolean;
  /** Never rejects. */
  readonly exited: Promise<WalledExit>;
}

/**
 * Starts what `compileWall` compiled. Everything ends with this process, however it ends. Throws
 * nothing: what goes wrong is in `inner()` and `exited`.
 */
export function startWalled(wall: CompiledWall, options: StartOptions): WalledProcess {
  if (wall.seatbelt !== undefined) return startSeatbelt(wall.seatbelt, options);
  const { child, refused, removeGroup } = spawnInGroup(wall, options);
  const inner = Promise.withResolvers<number>();
  inner.promise.catch(() => undefined);
  const walled = Promise.withResolvers<undefined>();
  walled.promise.catch(() => undefined);
  let confined: number | undefined;
  let refusal = refused;
  let ended = false;
  child.on("message", (message, handle) => {
    const launch = launchMessage(message);
    if (launch === undefined) {
      options.onMessage(message, handle);
    } else if ("message" in launch) {
      refusal = launch.message;
    } else if (confined === undefined && child.pid !== undefined) {
      walled.resolve(undefined);
      confined = wall.bwrap === undefined ? child.pid : confinedPid(child.pid, launch.pid);
      if (confined === undefined)
        inner.reject(new WallError("start", "the confined process can't be found"));
      else inner.resolve(confined);
    }
  });
  const { promise: exited, resolve } = Promise.withResolvers<WalledExit>();
  const end = (code: number | null, signal: NodeJS.Signals | null) => {
    ended = true;
    removeGroup();
    const why = refusal ?? `it ended with ${signal ?? `status ${code}`} before it was walled`;
    for (const waiting of [walled, inner]) waiting.reject(new WallError("start", why));
    resolve({ code, signal, ...(refusal === undefined ? {} : { refusal }) });
  };
  child.on("error", (error) => {
    // Also emitted when a message can't be sent; only one that stops the start ends it.
    if (child.pid !== undefined) return;
    refusal = error.message;
    end(null, null);
  });
  // Not at "close", which waits for whoever still has its standard output.
  if (wall.together === true) child.on("exit", () => endGroup(child.pid));
  child.on("close", end);
  return {
    pid: child.pid,
    stdout: child.stdout,
    stderr: child.stderr,
    walled: () => walled.promise,
    inner: () => inner.promise,
    exited,
    send(message, handle, onSent = () => undefined) {
      if (!child.connected) onSent();
      else child.send(message as Serializable, handle as SendHandle | undefined, () => onSent());
    },
    kill(signal) {
      if (ended) return false;
      if (confined === undefined) return child.kill("SIGKILL");
      return signalProcess(wall, child, confined, signal);
    },
  };
}

interface Spawned {
  readonly child: ChildProcess;
  /** Why it was ended before it began. */
  readonly refused: string | undefined;
  readonly removeGroup: () => void;
}

/**
 * The process waits for its policy, or bubblewrap for its arguments, before it does anything: it is
 * put into its control group in between, so that nothing it starts is ever outside.
 */
function spawnInGroup(wall: CompiledWall, options: StartOptions): Spawned {
  const { group } = wall;
  let made: Group | undefined;
  let refused: string | undefined;
  try {
    if (group?.by === "files") made = makeGroup(group);
  } catch (error) {
    refused = error instanceof WallError ? error.message : String(error);
  }
  const { child, feed } = spawnWalled(wall, options);
  try {
    if (child.pid !== undefined) made?.join(child.pid);
  } catch (error) {
    refused = error instanceof WallError ? error.message : String(error);
  }
  if (refused === undefined) feed();
  else child.kill("SIGKILL");
  return { child, refused, removeGroup: () => made?.remove() };
}

function spawnWalled(
  wall: CompiledWall,
  options: StartOptions,
): { readonly child: ChildProcess; readonly feed: () => void } {
  const { launcher, bwrap = "bwrap", uid, gid, stdout, stderr } = options;
  const launch = `--policy-fd ${POLICY_DESCRIPTOR} --channel-fd ${CHANNEL_DESCRIPTOR}`.split(" ");
  const [program, args, inputs] =
    wall.bwrap === undefined
      ? [launcher, [...launch, "--parent", String(process.pid)], [wall.policy]]
      : [
          bwrap,
          ["--args", String(ARGUMENTS_DESCRIPTOR), "--", LAUNCHER_INSIDE, ...launch],
          [
            wall.policy,
            [...wall.bwrap, ...closingArguments(launcher)].map((text) => `${text}\0`).join(""),
            ...wall.files,
          ],
        ];
  const stdio: StdioOptions = [
    "ignore",
    stdout,
    stderr,
    "ipc",
    ...inputs.map(() => "pipe" as const),
  ];
  const { group } = wall;
  const scope = group?.by === "systemd" ? group.command : [];
  const [first = program, ...words] = [...scope, program, ...args];
  const child = spawn(first, words, {
    stdio,
    env: group?.by === "systemd" ? busEnvironment() : {},
    cwd: "/",
    // Its own session: a Ctrl-C is for the supervisor, which ends things in order.
    detached: true,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  const feed = () => {
    for (const [index, input] of inputs.entries()) {
      const pipe = child.stdio[POLICY_DESCRIPTOR + index];
      if (pipe === null || pipe === undefined || !("end" in pipe)) continue;
      // Whoever ends before reading it all says why on its own account.
      pipe.on("error", () => undefined);
      pipe.end(input);
    }
  };
  return { child, feed };
}

type LaunchMessage = { readonly pid: number } | { readonly message: string };

/** The launcher's own messages are those with `launch`; its answers to others have `type`. */
function launchMessage(message: unknown): LaunchMessage | undefined {
  if (typeof message !== "object" || message === null || !("launch" in message)) return undefined;
  if (message.launch === "ready" && "pid" in message && typeof message.pid === "number")
    return { pid: message.pid };
  if (message.launch === "refused" && "message" in message && typeof message.message === "string")
    return { message: message.message };
  return undefined;
}

/** It was started as the leader of a group of its own, and is gone: whoever is in it was started by it. */
function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // Nobody is left.
  }
}

function signalProcess(
  wall: CompiledWall,
  child: ChildProcess,
  confined: number,
  signal: NodeJS.Signals,
): boolean {
  if (wall.bwrap === undefined) return child.kill(signal);
  try {
    return process.kill(confined, signal);
  } catch {
    // It has just ended; bubblewrap is about to.
    return false;
  }
}
