/**
 * Whether a Node version satisfies an `engines.node` range of the form OpenClaw uses:
 * alternatives joined by `||`, each a list of `>=`, `>`, `<=` and `<` bounds, as
 * `>=24.16.0 <25 || >=26.1.0`. A range of any other form is satisfied by nothing, so that what we
 * don't understand is never waved through.
 */
export function satisfiesNodeRange(version: string, range: string): boolean {
  const actual = parse(version);
  if (actual === undefined) return false;
  return range.split("||").some((alternative) => {
    const bounds = alternative.trim().split(/\s+/);
    return bounds.every((bound) => satisfiesBound(actual, bound));
  });
}

type Version = readonly [number, number, number];

function satisfiesBound(actual: Version, bound: string): boolean {
  const match = /^(>=|<=|>|<)(.+)$/.exec(bound);
  const limit = parse(match?.[2] ?? "");
  const operator = match?.[1];
  if (limit === undefined || operator === undefined) return false;
  const order = compare(actual, limit);
  if (order === 0) return operator.endsWith("=");
  return order > 0 === operator.startsWith(">");
}

function parse(text: string): Version | undefined {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(text.trim());
  if (match === null) return undefined;
  return [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)];
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
