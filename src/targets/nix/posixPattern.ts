/**
 * A pattern of the schema as the extended regular expression that `builtins.match` takes (POSIX, whole
 * text), or nothing where it can't be said as one: then the option takes any text, and `seawall check`
 * in the build has the last word.
 */
export function posixPattern(pattern: string): string | undefined {
  if (!pattern.startsWith("^") || !/(?<!\\)\$$/.test(pattern)) return undefined;
  const body = pattern.slice(1, -1);
  let out = "";
  let depth = 0;
  for (let index = 0; index < body.length;) {
    const rest = body.slice(index);
    const char = rest.charAt(0);
    if (char === "\\") {
      const escape = ESCAPES[rest.charAt(1)];
      if (escape === undefined && !/[^A-Za-z0-9]/.test(rest.charAt(1))) return undefined;
      out += escape === undefined ? literal(rest.charAt(1)) : `[${escape}]`;
      index += 2;
    } else if (char === "[") {
      const bracket = readBracket(rest);
      if (bracket === undefined) return undefined;
      out += bracket.text;
      index += bracket.length;
    } else if (rest.startsWith("(?:")) {
      out += "(";
      depth += 1;
      index += 3;
    } else if (rest.startsWith("(?") || /^[+*?}][?+]/.test(rest)) {
      return undefined;
    } else if (char === "|" && depth === 0) {
      return undefined;
    } else {
      const count = /^\{(\d+)(?:,(\d*))?\}/.exec(rest);
      // The library behind it unrolls these.
      if (count !== null && Math.max(Number(count[1]), Number(count[2] ?? 0)) > 255)
        return undefined;
      depth += char === "(" ? 1 : char === ")" ? -1 : 0;
      out += char;
      index += 1;
    }
  }
  return out;
}

const ESCAPES: Readonly<Record<string, string>> = { d: "0-9", w: "A-Za-z0-9_" };

/** One character that means itself. */
function literal(char: string): string {
  if (char === "/") return char;
  if (char === "/") return char;
  return char === "^" || char === "\\" ? `\\${char}` : `[${char}]`;
}

/** In brackets a backslash is itself, so what it guarded goes where it means nothing. */
function readBracket(text: string): { readonly text: string; readonly length: number } | undefined {
  const found = /^\[(\^?)((?:\\.|[^\]\\])*)\]/s.exec(text);
  if (found === null) return undefined;
  const [whole, not = "", inside = ""] = found;
  let members = "";
  let first = "";
  let last = "";
  for (const [, escaped, plain] of inside.matchAll(/\\(.)|([^\\])/gs)) {
    if (plain !== undefined) members += plain;
    else if (escaped === "]") first = "]";
    else if (escaped === "-") last = "-";
    else if (ESCAPES[escaped ?? ""] !== undefined) members += ESCAPES[escaped ?? ""] ?? "";
    else if (escaped === "." || escaped === "/") members += escaped;
    else return undefined;
  }
  if (members.endsWith("-")) {
    members = members.slice(0, -1);
    last = "-";
  }
  if (members.includes("[") || members.startsWith("^")) return undefined;
  return { text: `[${not}${first}${members}${last}]`, length: whole.length };
}
