/** What stands where a path template has `{secret}`. */
export interface FoundInPath {
  /** As sent, perhaps percent-encoded. */
  readonly credential: string;
  /** The path with `{secret}` in its place. */
  readonly canonical: string;
}

/**
 * Reads a path by a template such as `/bot{secret}`. The credential ends where its segment does
 * (less what the template has after it in the same segment), and the template must end at a `/` or
 * at the end of the path. `undefined`: the path is not of this shape.
 */
export function findInPath(template: string, path: string): FoundInPath | undefined {
  const [before = "", after = ""] = template.split("{secret}");
  if (!path.startsWith(before)) return undefined;
  const rest = path.slice(before.length);
  const slash = rest.indexOf("/");
  const segment = slash < 0 ? rest : rest.slice(0, slash);
  const ending = after.split("/", 1)[0] ?? "";
  const credential = segment.slice(0, segment.length - ending.length);
  if (credential === "" || !segment.endsWith(ending)) return undefined;
  const tail = rest.slice(credential.length);
  if (!tail.startsWith(after)) return undefined;
  const beyond = tail.slice(after.length);
  if (beyond !== "" && !beyond.startsWith("/") && !after.endsWith("/")) return undefined;
  return { credential, canonical: `${before}{secret}${tail}` };
}

/** The path again, with `credential` (already fit for a path) in place of `{secret}`. */
export function putInPath(template: string, canonical: string, credential: string): string {
  const [before = ""] = template.split("{secret}");
  return `${before}${credential}${canonical.slice(before.length + "{secret}".length)}`;
}
