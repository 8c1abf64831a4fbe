import type { Rule } from "./Plan.ts";

/**
 * Parses the method and path of a rule, as `GET /api/v3/**` or `GET api.example.com/v3/**`. `*`
 * stands for one whole segment, `**` for any number of segments, and only at the end.
 *
 * @returns the rule, or in plain words what is wrong with it.
 */
export function parseCall(text: string): Rule | { readonly wrong: string } {
  const [method, target = "", ...more] = text.split(" ");
  const slash = target.indexOf("/");
  if (method === undefined || slash < 0 || more.length > 0) return { wrong: "is not a rule" };
  const host = target.slice(0, slash);
  const path = target.slice(slash);
  const wrong = check(path);
  if (wrong !== undefined) return { wrong };
  return { method, path, ...(host === "" ? {} : { host }) };
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
