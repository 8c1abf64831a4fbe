import type { Header } from "../../match.ts";
import type { VisitHead } from "../Visit.ts";

/**
 * A request's head as HTTP/2 carries it (RFC 9113 section 8.3.1), `:authority` in the place of Host. A
 * Host that says something else stands beside it, so that there are two, which is refused further on.
 *
 * nghttp2 has refused upper case, doubled and unknown pseudo-header fields and the headers of one
 * connection before; this relies on it only for what would be refused anyway.
 *
 * @param raw names and values in turn, pseudo-header fields among them.
 * @returns `undefined` for what isn't a request for something on this connection.
 */
export function readH2Head(raw: readonly string[], empty: boolean): VisitHead | undefined {
  const pseudo = new Map<string, string>();
  const headers: Header[] = [];
  const hosts: string[] = [];
  const cookies: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const value = raw[index + 1] ?? "";
    if (name.startsWith(":")) {
      if (pseudo.has(name) || headers.length > 0) return undefined;
      pseudo.set(name, value);
    } else if (name === "host") hosts.push(value);
    else if (name === "cookie") cookies.push(value);
    else headers.push([name, value]);
  }
  const method = pseudo.get(":method");
  const target = pseudo.get(":path");
  const authority = pseudo.get(":authority");
  if (method === undefined || pseudo.has(":protocol")) return undefined;
  // CONNECT has neither; it is refused by its name.
  if (method !== "CONNECT" && (target === undefined || pseudo.get(":scheme") !== "https"))
    return undefined;
  if (authority !== undefined) {
    const same = hosts.length === 1 && hosts[0]?.toLowerCase() === authority.toLowerCase();
    hosts.splice(0, same ? 1 : 0, authority);
  }
  // Compression cuts a cookie into crumbs; to everybody else it is one (section 8.2.3).
  if (cookies.length > 0) headers.push(["cookie", cookies.join("; ")]);
  return {
    method,
    target: target ?? "",
    version: "2",
    headers: [...hosts.map((host): Header => ["host", host]), ...headers],
    empty,
  };
}
