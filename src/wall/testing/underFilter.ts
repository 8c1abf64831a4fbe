import { spawn } from "node:child_process";
import { encodePolicy } from "../policy/encode.ts";
import { compileFilter } from "../seccomp/compile.ts";
import type { SyscallRule } from "../seccomp/SyscallPolicy.ts";
import type { Syscall } from "../seccomp/syscalls.ts";
import { LAUNCHER } from "./reachable.ts";
import { probeSubject } from "./harness.ts";

/**
 * Runs Node on a kernel that answers some system calls differently, by a filter that everything it
 * starts inherits: a kernel without Landlock is one that says ENOSYS. Gives what was printed.
 */
export async function underFilter(
  rules: readonly (readonly [Syscall, SyscallRule])[],
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Promise<string> {
  const { output } = await runUnderFilter(rules, args, options);
  return output;
}

/** The same, with its errors and how it ended. */
export async function runUnderFilter(
  rules: readonly (readonly [Syscall, SyscallRule])[],
  args: readonly string[],
  { env, cwd = "/" }: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string },
): Promise<{ readonly output: string; readonly errors: string; readonly code: number | null }> {
  const variables = env ?? { PATH: process.env["PATH"] ?? "" };
  const { architecture = "x86_64" } = await probeSubject();
  const filter = compileFilter({ rules: new Map(rules), unknown: "allow" }, architecture);
  const policy = encodePolicy([
    { op: "no-new-privileges" },
    { op: "filter", filter },
    {
      op: "execute",
      once: false,
      path: process.execPath,
      arguments: [process.execPath, ...args],
      environment: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    },
  ]);
  const child = spawn(LAUNCHER, ["--policy-fd", "3"], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    cwd,
  });
  const pipe = child.stdio[3];
  if (pipe !== null && pipe !== undefined && "end" in pipe) pipe.end(policy);
  let [output, errors] = ["", ""];
  child.stderr?.on("data", (data: Buffer) => (errors += data.toString()));
  child.stdout?.on("data", (data: Buffer) => (output += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { output, errors, code };
}
