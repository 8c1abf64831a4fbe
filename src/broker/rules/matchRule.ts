import type { Rule } from "../../plan/index.ts";

/**
 * Whether a rule allows a call. `*` stands for one segment that is not empty, `**` (last only) for
 * any number of segments, none included. Everything else is compared as it is written.
 *
 * @param path a path that `readTarget` accepted, its credential replaced by `{secret}`, without query.
 */
export function matchRule(rule: Rule, method: string, path: string): boolean {
  if (rule.method !== "*" && rule.method !== method) return false;
  const pattern = rule.path.split("/");
  const segments = path.split("/");
  const open = pattern.at(-1) === "**";
  if (open) pattern.pop();
  if (open ? segments.length < pattern.length : segments.length !== pattern.length) return false;
  return pattern.every((wanted, index) => {
    const segment = segments[index];
    return wanted === "*" ? segment !== undefined && segment !== "" : segment === wanted;
  });
}

/** The rule as it is written in a declaration and in the audit record. */
export function formatRule(rule: Rule): string {
  return `${rule.method} ${rule.path}`;
}
