import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { encodePolicy } from "../../src/wall/policy/encode.ts";
import { compileFilter } from "../../src/wall/seccomp/compile.ts";
import type { RunOptions } from "./runSeawall.ts";

const LAUNCHER = resolve(import.meta.dirname, "../../build/seawall-launch");
const ENOSYS = 38;

/**
 * Runs a command as if on a kernel without Landlock: by a filter that everything it starts inherits
 * the first of its calls answers ENOSYS, as such a kernel does.
 *
 * @param folder for the launcher's policies.
 */
export function withoutLandlock(folder: string): NonNullable<RunOptions["through"]> {
  const architecture = process.arch === "arm64" ? "aarch64" : "x86_64";
  const rules = new Map([["landlock_create_ruleset", { errno: ENOSYS }]] as const);
  const filter = compileFilter({ rules, unknown: "allow" }, architecture);
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
