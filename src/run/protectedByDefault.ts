import { realpathSync } from "node:fs";
import { isBelow, type Exception, type Origin, type Policy } from "../profiles/index.ts";

/**
 * The owner's keys, and the settings that other programs execute, as far as something that was
 * granted could show or change them. What is in which list is the wall's business.
 */
export async function protectedByDefault(policy: Policy, home: string): Promise<Exception[]> {
  const touching = policy.paths.some(
    ({ path, write }) => write || path === home || isBelow(path, home) || isBelow(home, path),
  );
  // The wall's code takes longer to load than a command takes to start.
  if (!touching) return [];
  const { protectedPaths, reasonFor } = await import("../wall/index.ts");
  const folders = policy.paths
    .filter(({ write, file }) => write && !file)
    .flatMap(({ path }) => realPath(path));
  const all = protectedPaths({ home, folders, named: [] });
  const granted = new Set([...policy.paths.map(({ path }) => path), ...policy.lifted]);
  // A folder around them has not named them.
  const named = all.map(({ path }) => path).filter((path) => granted.has(path));
  const options = { home, folders, named };
  return protectedPaths(options)
    .filter(({ path, access }) =>
      policy.paths.some((rule) => isBelow(path, rule.path) && (access === "hidden" || rule.write)),
    )
    .map(({ path, access, absent = "seal" }) => {
      const origin: Origin = {
        kind: "always",
        what: `protected by default: ${reasonFor(path, options) ?? "keys and settings of the owner"}`,
      };
      return { path, access, absent, origin };
    });
}

function realPath(path: string): string[] {
  try {
    return [realpathSync(path)];
  } catch {
    return [];
  }
}
