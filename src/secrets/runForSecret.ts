import { spawn } from "node:child_process";
import { MAX_VALUE_BYTES, oversized } from "./checkSecret.ts";
import { SecretError } from "./SecretError.ts";

/** Long enough to touch a key or type a PIN. */
const LIMIT_MS = 60_000;

export interface RunOptions {
  /** For standard input, which is empty otherwise. */
  readonly input?: Uint8Array;
  readonly cwd?: string;
  readonly limitMs?: number;
}

/**
 * Runs a program and gives what it prints. No shell; a process group of its own, which is killed with
 * all its children when the time is up or too much is printed, and also what it leaves behind when it
 * ends. Standard error is thrown away: programs put secrets there, too.
 *
 * @throws SecretError `command-missing`, `command-failed`, `command-hung`, `oversized-value`
 */
export async function runForSecret(
  [program = "", ...args]: readonly string[],
  { input, cwd = "/", limitMs = LIMIT_MS }: RunOptions = {},
): Promise<Buffer> {
  const child = spawn(program, args, {
    cwd,
    detached: true,
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "ignore"],
  });
  const chunks: Buffer[] = [];
  let size = 0;
  const ended = Promise.withResolvers<void>();
  const killGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nobody is left in it.
    }
  };
  const timer = setTimeout(() => {
    ended.reject(
      new SecretError("command-hung", `"${program}" gave no secret in ${limitMs / 1000} s`, {
        hint: "try it in a terminal; it must not ask anything",
      }),
    );
  }, limitMs);
  child.once("error", (cause: NodeJS.ErrnoException) => {
    ended.reject(
      new SecretError("command-missing", `"${program}" can't be started`, {
        hint: cause.code === "ENOENT" ? "install it, or name its whole path" : "look at its mode",
      }),
    );
  });
  child.stdout?.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_VALUE_BYTES + 2)
      ended.reject(oversized(`what "${program}" prints is no secret`));
  });
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  child.once("exit", (code, signal) => {
    // What still holds the pipe open is of no use any more.
    killGroup();
    child.once("close", () => {
      if (code === 0) ended.resolve();
      else
        ended.reject(
          new SecretError(
            "command-failed",
            `"${program}" ended with ${signal ?? `status ${code ?? ""}`}`,
            { hint: "try it in a terminal; what it says on standard error isn't shown here" },
          ),
        );
    });
  });
  try {
    await ended.promise;
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(timer);
    killGroup();
    child.stdout?.destroy();
    for (const chunk of chunks) chunk.fill(0);
  }
}
