import {
  describeOrigin,
  isBelow,
  type Exception,
  type Origin,
  type PathRule,
  type Policy,
} from "../profiles/index.ts";
import { realPlace } from "./realPlace.ts";
import { RunError } from "./RunError.ts";

/** A person's home, by the name they use, and where that leads. */
export interface Home {
  readonly named: string;
  readonly real: string;
}

/**
 * The owner's keys, and the settings that other programs execute, as far as something that was
 * granted could show or change them. What is in which list is the wall's business.
 *
 * Links are followed: what worked in a folder before may have put one there that leads to the keys.
 *
 * @throws RunError `reserved-path` for a path that gives something protected without naming it
 */
export async function protectedByDefault(policy: Policy, home: Home): Promise<Exception[]> {
  const rules = policy.paths.map((rule) => ({ ...rule, real: realPlace(rule.path) }));
  const touching = rules.some(
    ({ real, write }) =>
      write || real === home.real || isBelow(real, home.real) || isBelow(home.real, real),
  );
  // The wall's code takes longer to load than a command takes to start.
  if (!touching) return [];
  const { protectedPaths, reasonFor } = await import("../wall/index.ts");
  const folders = rules.filter(({ write, file }) => write && !file).map(({ real }) => real);
  const all = protectedPaths({ home: home.real, folders, named: [] });
  const granted = new Set(
    [...policy.paths.map(({ path }) => path), ...policy.lifted].map((path) => asNamed(path, home)),
  );
  // A folder around them has not named them.
  const named = all.map(({ path }) => path).filter((path) => granted.has(path));
  const options = { home: home.real, folders, named };
  const kept = protectedPaths(options);
  for (const rule of rules) {
    const other = kept.find(
      ({ path, access }) =>
        (access === "hidden" || rule.write) && leadsTo(rule, path, asNamed(rule.path, home)),
    );
    if (other === undefined) continue;
    throw new RunError("reserved-path", `"${rule.path}" leads to "${other.path}"`, {
      where: describeOrigin(rule.origin),
      hint: `that is protected: ${reasonFor(other.path, options) ?? "keys and settings"}; grant it by its own name if you mean it`,
    });
  }
  return kept
    .filter(({ path, access }) =>
      rules.some((rule) => isBelow(path, rule.real) && (access === "hidden" || rule.write)),
    )
    .map(({ path, access, absent = "seal" }) => {
      const origin: Origin = {
        kind: "always",
        what: `protected by default: ${reasonFor(path, options) ?? "keys and settings of the owner"}`,
      };
      return { path, access, absent, origin };
    });
}

/** A path below the home's other name told below its real one. */
function asNamed(path: string, { named, real }: Home): string {
  return path === named || isBelow(path, named) ? `${real}${path.slice(named.length)}` : path;
}

/** Whether a link on the way of a rule's path ends at or in a protected one that it doesn't name. */
function leadsTo(
  { real }: PathRule & { readonly real: string },
  kept: string,
  named: string,
): boolean {
  if (named === real || named === kept || isBelow(named, kept)) return false;
  return [kept, realPlace(kept)].some((path) => real === path || isBelow(real, path));
}
