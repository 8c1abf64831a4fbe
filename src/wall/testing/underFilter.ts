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
): Promise<string> {
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
      environment: [`PATH=${process.env["PATH"] ?? ""}`],
    },
  ]);
  const child = spawn(LAUNCHER, ["--policy-fd", "3"], {
    stdio: ["ignore", "pipe", "inherit", "pipe"],
  });
  const pipe = child.stdio[3];
  if (pipe !== null && pipe !== undefined && "end" in pipe) pipe.end(policy);
  let output = "";
  child.stdout?.on("data", (data: Buffer) => (output += data.toString()));
  await new Promise((resolve) => child.on("close", resolve));
  return output;
}
