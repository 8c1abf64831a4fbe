export interface MediaType {
  /** In lower case, `application/json`. */
  readonly type: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** A Content-Type (RFC 9110 section 8.3.1); `undefined` when it is malformed or has a parameter twice. */
export function readMediaType(value: string): MediaType | undefined {
  const [all, type] = /^([A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+)[ \t]*/.exec(value) ?? [];
  if (all === undefined || type === undefined) return undefined;
  const parameters = readParameters(value.slice(all.length));
  return parameters && { type: type.toLowerCase(), parameters };
}

/** Whether text of this type is UTF-8 as far as its `charset` says. */
export function isUtf8Type({ parameters }: MediaType): boolean {
  return /^(?:utf-?8|us-ascii)$/i.test(parameters.get("charset") ?? "utf-8");
}

/** `; name=token; name="quoted"`; nothing with a backslash, nothing twice. */
export function readParameters(text: string): Map<string, string> | undefined {
  const out = new Map<string, string>();
  let at = 0;
  const each =
    /;[ \t]*([A-Za-z0-9!#$&^_.+\-*]+)=(?:"([^"\\]*)"|([A-Za-z0-9!#$%&'*+.^_`|~:/?@-]+))[ \t]*/y;
  while (at < text.length) {
    each.lastIndex = at;
    const [all, name, quoted, token] = each.exec(text) ?? [];
    // A semicolon at the very end says nothing.
    if (all === undefined) return /^;[ \t]*$/.test(text.slice(at)) ? out : undefined;
    const key = name?.toLowerCase() ?? "";
    if (out.has(key)) return undefined;
    out.set(key, quoted ?? token ?? "");
    at += all.length;
  }
  return out;
}
