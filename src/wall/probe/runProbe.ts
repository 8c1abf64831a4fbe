import { spawn } from "node:child_process";

export interface ProbeOptions {
  /** Host path of seawall-launch; on macOS of sandbox-exec. */
  readonly launcher: string;
  /** This host's own where left out. */
  readonly platform?: NodeJS.Platform;
  /** Whom to try as; only root may name another than itself. */
  readonly uid?: number;
  readonly gid?: number;
  /** Where to look for bubblewrap, as `$PATH`, which is the default. */
  readonly path?: string;
  /** Else the environment is empty. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface ProbeRun {
  readonly code: number | null;
  readonly stdout: string;
  /** Or why it could not be started. */
  readonly stderr: string;
}

const TIME_LIMIT_MS = 10_000;

/** Runs a program to its end as the user in question, with an empty environment. Never throws. */
export async function runProbe(
  program: string,
  args: readonly string[],
  { uid, gid, environment = {} }: ProbeOptions,
): Promise<ProbeRun> {
  const { promise, resolve } = Promise.withResolvers<ProbeRun>();
  const child = spawn(program, args, {
    env: environment,
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: TIME_LIMIT_MS,
    killSignal: "SIGKILL",
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.on("error", (error) => resolve({ code: null, stdout, stderr: error.message }));
  child.on("close", (code) => resolve({ code, stdout, stderr }));
  return promise;
}
