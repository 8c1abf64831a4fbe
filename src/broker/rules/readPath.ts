/** What `{secret}` is while paths are compared: a byte that no accepted path holds, encoded or not. */
const SECRET = "\0";

/**
 * A path's segments with their percent-encoding undone once. `readTarget` has refused before what
 * would decode to a slash, a backslash, a percent sign, a control or broken UTF-8, so no segment
 * turns into two, and a second decoding would change nothing.
 */
export function readSegments(path: string): string[] {
  return path.split("/").map((segment) => {
    if (!segment.includes("%") && !segment.includes("{")) return segment;
    return segment.split("{secret}").map(decode).join(SECRET);
  });
}

/** The segments as a server sees them that takes `;name=value` off each (RFC 3986 section 3.3). */
export function withoutParameters(segments: readonly string[]): readonly string[] {
  return segments.some((segment) => segment.includes(";"))
    ? segments.map((segment) => segment.split(";", 1)[0] ?? "")
    : segments;
}

/** The segments as a server sees them that knows neither letters' case nor a slash at the end. */
export function fold(segments: readonly string[]): readonly string[] {
  const out = segments.map((segment) => foldCase(segment));
  return out.length > 2 && out.at(-1) === "" ? out.slice(0, -1) : out;
}

/** One form for all letters that some language's comparison without case takes for the same (`ſ` and `s`). */
export function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase();
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
