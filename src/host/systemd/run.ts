import { spawn } from "node:child_process";
import { HostError } from "../HostError.ts";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const LARGEST = 32 * 1024 * 1024;
const TIMEOUT_MS = 300_000;

/** Runs one of the system's programs, without a shell and with nothing of our environment. */
export function run(
  program: string,
  args: readonly string[],
  { input, timeoutMs = TIMEOUT_MS }: { readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        // The last is NixOS's, which has nothing in the others.
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin",
        LANG: "C.UTF-8",
        SYSTEMD_COLORS: "0",
        SYSTEMD_PAGER: "",
      },
    });
    // Node's own `timeout` goes on where there is no such program, and keeps us from ending.
    const timer = setTimeout(() => child.kill(), timeoutMs);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (stdout.length < LARGEST) stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < LARGEST) stderr += text;
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
    child.once("error", (cause) => {
      clearTimeout(timer);
      reject(
        new HostError("no-systemd", `"${program}" can't be run`, {
          hint: "install systemd and iproute2 from your system's packages",
          cause,
        }),
      );
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 255, stdout, stderr });
    });
  });
}

/** @throws HostError `system-command` with what the program said last. */
export async function runOk(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(program, args);
  if (code === 0) return stdout;
  const said = stderr.trim().split("\n").slice(-3).join("; ").slice(0, 500);
  throw new HostError("system-command", `${program} ${args[0] ?? ""} failed: ${said}`, {
    hint: "look at: journalctl -b -p warning",
  });
}
