import { spawn, type ChildProcess, type SendHandle, type Serializable } from "node:child_process";
import { Socket } from "node:net";
import type { SeatbeltWall } from "../CompiledWall.ts";
import type { StartOptions, WalledExit, WalledProcess } from "../startWalled.ts";
import { WallError } from "../WallError.ts";

/** The program and its arguments that start `command` behind a profile, under limits of each process. */
export function seatbeltCommand(
  { profile, openFiles, fileSize }: Omit<SeatbeltWall, "command">,
  sandboxExec: string,
  command: readonly string[],
): readonly [string, ...string[]] {
  const limits = [
    // A core dump would hold what a process knows.
    "ulimit -c 0",
    ...(openFiles === undefined ? [] : [`ulimit -n ${openFiles}`]),
    // In blocks of 512 bytes (POSIX, ulimit).
    ...(fileSize === undefined ? [] : [`ulimit -f ${Math.floor(fileSize / 512)}`]),
    'exec "$@"',
  ];
  // sandbox-exec puts the command in its own place, and so does the shell: one process id throughout.
  return ["/bin/sh", "-c", limits.join(" && "), "sh", sandboxExec, "-p", profile, ...command];
}

/**
 * Starts a process behind its Seatbelt profile. It can't be had from the system there that what is started
 * ends with whoever started it, so a shell waits for our end and then ends the process's group: everything
 * but what left the group.
 */
export function startSeatbelt(wall: SeatbeltWall, options: StartOptions): WalledProcess {
  const { channel, environment, cwd } = wall;
  const { uid, gid } = options;
  const [program, ...args] = seatbeltCommand(wall, options.launcher, wall.command);
  const child: ChildProcess = spawn(program, args, {
    stdio: ["ignore", options.stdout, options.stderr, ...(channel ? (["ipc"] as const) : [])],
    env: { ...environment },
    cwd,
    detached: true,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  const minder = child.pid === undefined ? undefined : mind(child.pid);
  const inner = Promise.withResolvers<number>();
  inner.promise.catch(() => undefined);
  const { promise: exited, resolve } = Promise.withResolvers<WalledExit>();
  let refusal: string | undefined;
  let ended = false;
  const end = (code: number | null, signal: NodeJS.Signals | null): void => {
    ended = true;
    minder?.kill("SIGKILL");
    inner.reject(new WallError("start", refusal ?? "it ended before it was walled"));
    resolve({ code, signal, ...(refusal === undefined ? {} : { refusal }) });
  };
  child.on("message", (message, handle) => options.onMessage(message, handle));
  child.on("error", (error) => {
    if (child.pid !== undefined) return;
    refusal = error.message;
    end(null, null);
  });
  child.on("spawn", () => inner.resolve(child.pid ?? 0));
  // Not at "close", which waits for whoever still has its standard output.
  child.on("exit", () => endGroup(child.pid));
  child.on("close", end);
  return {
    pid: child.pid,
    stdout: child.stdout,
    stderr: child.stderr,
    walled: async () => {
      await inner.promise;
    },
    inner: () => inner.promise,
    exited,
    send(message, handle, onSent = () => undefined) {
      if (!child.connected) onSent();
      else child.send(message as Serializable, handle as SendHandle | undefined, () => onSent());
    },
    kill: (signal) => !ended && child.kill(signal),
  };
}

/** Its standard input ends with this process, however that ends. */
function mind(group: number): ChildProcess {
  const minder = spawn("/bin/sh", ["-c", 'read -r _; kill -s KILL -- "-$1"', "sh", String(group)], {
    stdio: ["pipe", "ignore", "ignore"],
    env: { PATH: "/usr/bin:/bin" },
    cwd: "/",
    detached: true,
  });
  // It may be gone already when its input is closed.
  minder.stdin?.on("error", () => undefined);
  minder.on("error", () => undefined);
  minder.unref();
  if (minder.stdin instanceof Socket) minder.stdin.unref();
  return minder;
}

function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // Nobody is left.
  }
}
