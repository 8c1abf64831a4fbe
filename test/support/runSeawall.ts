import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { testStore } from "./testStore.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/start.cjs");

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly state: string;
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What to start instead, so that it starts the command: as another user, on another kernel. */
  readonly through?: (
    command: readonly string[],
    env: Readonly<Record<string, string | undefined>>,
  ) => readonly string[];
}

/**
 * Where Node keeps what it compiled of the sources, for the processes that a command starts, and for itself
 * where it isn't packed (src/cli/start.cjs).
 */
export const COMPILED = { NODE_COMPILE_CACHE: join(testStore(), "command-cache") };

/** Runs the command line as a person would, in a state folder of its own. */
export async function runSeawall(args: readonly string[], options: RunOptions): Promise<Ran> {
  const env = {
    ...process.env,
    ...COMPILED,
    SEAWALL_STATE: options.state,
    NO_COLOR: "1",
    ...options.env,
  };
  const command = [process.execPath, MAIN, ...args];
  const [program = "", ...rest] = options.through?.(command, env) ?? command;
  const child = spawn(program, rest, {
    cwd: options.cwd ?? options.state,
    env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const { promise, resolve: done, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject);
  child.once("close", done);
  return { code: await promise, stdout, stderr };
}
