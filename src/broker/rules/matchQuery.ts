import { readForm } from "../body/form.ts";
import type { Purpose } from "./matchRule.ts";
import { foldCase } from "./readPath.ts";

/**
 * Whether a query says what a rule wants of it. To allow: every wanted name stands in it exactly
 * once, in no other spelling (`Service`, `service[]`), with that value; other names are nobody's
 * business, but the whole must be readable in one way only. To forbid: every wanted name stands in
 * it somewhere with that value, in whatever case, or the query can't be read at all.
 *
 * @param query from the `?` on, or empty.
 */
export function matchQuery(
  wanted: Readonly<Record<string, string>>,
  query: string,
  purpose: Purpose,
): boolean {
  const fields = readForm(Buffer.from(query.slice(1), "latin1"));
  if (fields === undefined) return purpose === "forbid";
  return Object.entries(wanted).every(([name, value]) => {
    const same = fields.filter(([other]) => sameName(other, name));
    if (purpose === "forbid") return same.some(([, other]) => foldCase(other) === foldCase(value));
    const [only] = same;
    return same.length === 1 && only?.[0] === name && only[1] === value;
  });
}

/** Whether some server takes them for one name: without case, and `name[]` or `name[0]` as `name`. */
function sameName(given: string, wanted: string): boolean {
  return foldCase(given.split("[", 1)[0] ?? "") === foldCase(wanted.split("[", 1)[0] ?? "");
}
