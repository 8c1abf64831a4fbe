import { encodeForForm } from "../body/form.ts";
import { splice } from "../body/json.ts";
import type { Decision } from "../decide/decide.ts";
import { putInPath } from "../decide/pathPlace.ts";
import type { Placed } from "../decide/Placed.ts";
import { valuesOf, type Call } from "../match.ts";

/** The path with the secret where its template says. */
export function pathWith({ path, placed }: Decision, value: string): string {
  for (const { place } of placed)
    if (place.in === "path") return putInPath(place.template, path, encodeForPath(value));
  return path;
}

/** The query with the secret where the phantom stood, all other characters as they were sent. */
export function queryWith(query: string, placed: readonly Placed[], value: string): string {
  const edits = placed.flatMap((each) =>
    each.place.in === "query" && "start" in each
      ? [{ ...each, bytes: Buffer.from(encodeForForm(value)) }]
      : [],
  );
  return edits.length === 0
    ? query
    : splice(Buffer.from(query, "latin1"), edits).toString("latin1");
}

/** By lower-case name: the values of the headers in which the phantom stood. */
export function headersWith(
  call: Call,
  placed: readonly Placed[],
  value: string,
): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  let user: string | undefined;
  let password: string | undefined;
  for (const each of placed) {
    if (each.place.in === "header") out.set(each.place.name, each.place.prefix + value);
    if (!("other" in each)) continue;
    // The half that isn't named stays; where both are, each says so by its own entry.
    if (each.place.part === "user") {
      user = value;
      password ??= each.other;
    } else {
      password = value;
      user ??= each.other;
    }
  }
  if (user !== undefined && password !== undefined)
    out.set(
      "authorization",
      `Basic ${Buffer.from(`${user}:${password}`, "latin1").toString("base64")}`,
    );
  const [cookie] = valuesOf(call.headers, "cookie");
  const cookies = placed.flatMap((each) =>
    each.place.in === "cookie" && "start" in each
      ? [{ ...each, bytes: Buffer.from(value, "latin1") }]
      : [],
  );
  if (cookie !== undefined && cookies.length > 0)
    out.set("cookie", splice(Buffer.from(cookie, "latin1"), cookies).toString("latin1"));
  return out;
}

/** The body with the secret where the phantom stood; the same bytes if it stood nowhere there. */
export function bodyWith(bytes: Buffer, placed: readonly Placed[], value: string): Buffer {
  const edits = placed.flatMap((each) => {
    if (!("start" in each)) return [];
    const spelled = spellInBody(each.place, value);
    return spelled === undefined ? [] : [{ ...each, bytes: Buffer.from(spelled) }];
  });
  return edits.length === 0 ? bytes : splice(bytes, edits);
}

function spellInBody(place: Placed["place"], value: string): string | undefined {
  if (place.in === "form") return encodeForForm(value);
  if (place.in === "json") return JSON.stringify((place.prefix ?? "") + value);
  return place.in === "multipart" ? value : undefined;
}

/** Percent-encodes what may not stand in a path segment (RFC 3986 section 3.3, `pchar`). */
function encodeForPath(value: string): string {
  return value.replaceAll(
    /[^A-Za-z0-9\-._~!$&'()*+,;=:@]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}
