import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { encodePolicy } from "../../src/wall/policy/encode.ts";
import { compileFilter } from "../../src/wall/seccomp/compile.ts";
import type { SyscallRule } from "../../src/wall/seccomp/SyscallPolicy.ts";
import type { Syscall } from "../../src/wall/seccomp/syscalls.ts";
import type { RunOptions } from "./runSeawall.ts";

const LAUNCHER = resolve(import.meta.dirname, "../../build/seawall-launch");

/**
 * Runs a command, and everything it starts, on a kernel that answers some system calls differently.
 *
 * @param folder for the launcher's policies.
 */
export function underRules(
  folder: string,
  rules: readonly (readonly [Syscall, SyscallRule])[],
): NonNullable<RunOptions["through"]> {
  const architecture = process.arch === "arm64" ? "aarch64" : "x86_64";
  const filter = compileFilter({ rules: new Map(rules), unknown: "allow" }, architecture);
  return (command, env) => {
    const policy = join(folder, `policy-${randomBytes(4).toString("hex")}`);
    const operations = [
      { op: "no-new-privileges" },
      { op: "filter", filter },
      {
        op: "execute",
        once: false,
        path: command[0] ?? "",
        arguments: [...command],
        environment: Object.entries(env).map(([name, value]) => `${name}=${value ?? ""}`),
      },
    ] as const;
    writeFileSync(policy, encodePolicy(operations));
    return ["sh", "-c", 'exec "$0" --policy-fd 3 3<"$1"', LAUNCHER, policy];
  };
}
