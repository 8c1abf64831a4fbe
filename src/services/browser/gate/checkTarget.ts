import type { BrowserRules } from "../messages.ts";
import type { WebRefusalCode } from "./WebRefusal.ts";

const LONGEST_URL = 8192;

/** A host and port that may be asked for, as far as their names say. */
export interface WebTarget {
  readonly url: URL;
  readonly secure: boolean;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Whether a grant has an address, by scheme, host and port. What its name resolves to is looked at
 * when it is dialled. Reads addresses as browsers do (WHATWG URL), so `0x7f.1` is 127.0.0.1 here too.
 */
export function checkTarget(
  text: string,
  rules: Pick<BrowserRules, "hosts">,
): WebTarget | WebRefusalCode {
  if (text.length > LONGEST_URL || !URL.canParse(text)) return "bad-url";
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return "scheme";
  if (url.username !== "" || url.password !== "") return "url-credentials";
  const secure = url.protocol === "https:";
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  // A dot at the end names the same host, and none of our patterns has one.
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  if (host === "") return "bad-url";
  const named = rules.hosts.map(readPattern).filter(({ name }) => fits(name, host));
  if (named.length === 0) return "host-not-granted";
  const usual = port === 80 || port === 443;
  if (!named.some((each) => (each.port === undefined ? usual : each.port === port)))
    return "port-not-granted";
  return { url, secure, host, port };
}

function readPattern(pattern: string): { readonly name: string; readonly port?: number } {
  const [, name = pattern, port] = /^(.*?)(?::(\d+))?$/.exec(pattern) ?? [];
  const plain = name.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return port === undefined ? { name: plain } : { name: plain, port: Number(port) };
}

function fits(pattern: string, host: string): boolean {
  if (pattern === "*") return true;
  if (pattern.startsWith("*."))
    return host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1;
  return pattern === host;
}
