import type { Fault, Path } from "../declaration/index.ts";
import type { Rule } from "./Plan.ts";

/**
 * Parses a rule such as `GET /api/v3/**`. `*` stands for one whole segment, `**` for any
 * number of segments, and only at the end.
 */
export function parseRule(text: string, path: Path, faults: Fault[]): Rule[] {
  const [method, pattern, ...more] = text.split(" ");
  const wrong =
    method === undefined || pattern === undefined || more.length > 0
      ? "is not a rule"
      : check(pattern);
  if (wrong === undefined && method !== undefined && pattern !== undefined) {
    return [{ method, path: pattern }];
  }
  faults.push({
    code: "invalid",
    path,
    message: `the rule ${wrong}`,
    hint: 'write a method and a path, as "GET /api/v3/*" or "* /api/**"',
  });
  return [];
}

function check(pattern: string): string | undefined {
  const segments = pattern.slice(1).split("/");
  const last = segments.length - 1;
  for (const [index, segment] of segments.entries()) {
    if (segment === "**" && index < last) return 'has "**" before its end';
    if (segment !== "**" && segment !== "*" && segment.includes("*")) {
      return 'has a "*" that is not a whole segment';
    }
    if (segment === "." || segment === "..") return "has a dot segment";
    if (segment === "" && index < last) return "has an empty segment";
    if (segment.includes("{") && !/^[^{}]*\{secret\}$/.test(segment)) {
      return "has braces other than {secret} at the end of a segment";
    }
  }
  return undefined;
}
