import type { Place, Rule } from "./Plan.ts";

/** Whether every call that fits `inner` surely fits `outer`; `false` may also mean that it can't be told. */
export function covers(outer: Rule, inner: Rule): boolean {
  if (outer.body !== undefined || outer.query !== undefined) return false;
  if (outer.host !== undefined && outer.host !== inner.host) return false;
  if (outer.method !== "*" && outer.method !== inner.method) return false;
  const wanted = segments(outer);
  const given = segments(inner);
  const open = wanted.at(-1) === "**";
  const fixed = open ? wanted.length - 1 : wanted.length;
  const least = given.at(-1) === "**" ? given.length - 1 : given.length;
  if (open ? least < fixed : given.at(-1) === "**" || least !== fixed) return false;
  return wanted
    .slice(0, fixed)
    .every((segment, index) => (segment === "*" ? given[index] !== "" : segment === given[index]));
}

/** Whether some call with its credential in one of these places may fit the rule. */
export function mayCarry({ path }: Rule, places: readonly Place[]): boolean {
  const templates = places.flatMap((place) => (place.in === "path" ? [place.template] : []));
  if (path.includes("{secret}")) return templates.some((template) => beginsLike(path, template));
  return places.length > templates.length || templates.some((t) => beginsLike(path, t));
}

function beginsLike(path: string, template: string): boolean {
  const pattern = path.split("/");
  return template.split("/").every((segment, index) => {
    const open = pattern.indexOf("**");
    if (open >= 0 && index >= open) return true;
    return pattern[index] === segment || (pattern[index] === "*" && segment !== "");
  });
}

function segments({ path }: Rule): string[] {
  return path.split("/");
}
