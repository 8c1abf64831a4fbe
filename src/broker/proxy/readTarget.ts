import type { VisitHead } from "../http/Visit.ts";
import { valuesOf, type Header } from "../match.ts";
import { refuse, type Refusal } from "../Refusal.ts";

/** A host and port as the bot named them to the proxy. */
export interface Authority {
  /** Lower case, an IPv6 literal without its brackets. */
  readonly name: string;
  readonly port: number;
}

/** No user, no empty port, no percent signs: names as grants have them. */
const AUTHORITY =
  /^(?:([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)|\[([0-9A-Fa-f:.]{2,45})\])(?::([1-9][0-9]{0,4}))?$/;

/** What a CONNECT asks for (RFC 9110 section 9.3.6): host and port, and no body. */
export function readConnect(head: VisitHead): Authority | Refusal {
  if (head.version !== "1.1") return refuse("malformed-request");
  const to = readAuthority(head.target, undefined);
  if (to === undefined) return refuse("target-form");
  const { headers } = head;
  const framed = [
    ...valuesOf(headers, "content-length"),
    ...valuesOf(headers, "transfer-encoding"),
  ];
  if (framed.some((value) => value !== "0")) return refuse("framing");
  return checkHost(headers, to, head.target, 443) ?? to;
}

/**
 * A request in absolute-form (RFC 9112 section 3.2.2) as the named host would get it itself. The Host
 * header must say the same; only plain HTTP is asked for in this way.
 */
export function readAbsolute(
  head: VisitHead,
): { readonly to: Authority; readonly head: VisitHead } | Refusal {
  const [, authority = "", target = ""] = /^http:\/\/([^/?#]*)(\/.*)?$/s.exec(head.target) ?? [];
  const to = readAuthority(authority, 80);
  if (to === undefined) return refuse("target-form");
  const wrong = checkHost(head.headers, to, authority, 80);
  return wrong ?? { to, head: { ...head, target: target === "" ? "/" : target } };
}

function checkHost(
  headers: readonly Header[],
  to: Authority,
  authority: string,
  usual: number,
): Refusal | undefined {
  const hosts = valuesOf(headers, "host");
  const [host = ""] = hosts;
  if (hosts.length !== 1) return refuse("host-mismatch");
  if (host.toLowerCase() === authority.toLowerCase()) return undefined;
  // With and without the port that goes without saying; Node's own fetch leaves it out in CONNECT too.
  const same = readAuthority(host, usual);
  return same?.name === to.name && same.port === to.port ? undefined : refuse("host-mismatch");
}

function readAuthority(text: string, port: number | undefined): Authority | undefined {
  const match = AUTHORITY.exec(text);
  const [, name, literal, said] = match ?? [];
  const number = said === undefined ? port : Number(said);
  const host = (name ?? literal)?.toLowerCase();
  if (host === undefined || number === undefined || number > 65_535) return undefined;
  return { name: host, port: number };
}
