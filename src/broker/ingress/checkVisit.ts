import type { BrokerIngress } from "../BrokerConfig.ts";
import { classifyAddress } from "../dial/classifyAddress.ts";
import { readFraming, readTarget, valuesOf, type Header } from "../match.ts";
import { equalInConstantTime } from "../phantoms.ts";
import { isRefusal, type RefusalCode } from "../Refusal.ts";

/** Says whether the process is there, and nothing about it. */
const OPEN_PATHS = ["/healthz", "/readyz"];
/** Under these the gateway has interfaces, not its page (OpenClaw 2026.9.6, docs/gateway). */
const INTERFACES = ["/v1/", "/api/", "/tools/", "/hooks/"];

export interface Visit {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  readonly websocket: boolean;
}

/**
 * Whether somebody outside may speak to a bot's gateway.
 *
 * Host and Origin must name the loopback, or the site: a web page whose name was made to resolve to 127.0.0.1, or
 * one that posts across origins, names itself there. Then the gateway's token, except for the
 * health paths, for the control page where it is on (it asks for the token itself), and for
 * WebSockets, whose clients send the token in OpenClaw's first frame, where the gateway checks it;
 * a token that stands in the header all the same must be right.
 */
export function checkVisit(visit: Visit, ingress: BrokerIngress): RefusalCode | undefined {
  if (typeof readFraming(visit.headers) === "object") return "framing";
  const hosts = valuesOf(visit.headers, "host");
  const [host = ""] = hosts;
  const bySite = isSite(host, ingress.site);
  if (hosts.length !== 1 || !(bySite || isLoopbackHost(host))) return "ingress-host";
  // Each for itself: a page of the site may not speak to the loopback, nor one of that to the site.
  const isOwn = (origin: string): boolean =>
    bySite
      ? isSite(/^https:\/\/(.+)$/i.exec(origin)?.[1] ?? "", ingress.site)
      : isLoopbackOrigin(origin);
  if (!valuesOf(visit.headers, "origin").every(isOwn)) return "ingress-host";

  const authorizations = valuesOf(visit.headers, "authorization");
  if (authorizations.length > 0) {
    const right = authorizations.length === 1 && isToken(authorizations[0] ?? "", ingress.token);
    return right ? undefined : "ingress-token";
  }
  return visit.websocket || needsNoToken(visit, ingress.controlPage) ? undefined : "ingress-token";
}

function isToken(authorization: string, token: string): boolean {
  const match = /^Bearer ([^ ]+)$/i.exec(authorization);
  return match?.[1] !== undefined && equalInConstantTime(match[1], token);
}

function needsNoToken({ method, target }: Visit, controlPage: boolean): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  // A path that could be read in two ways could be read as another one by the gateway.
  const read = readTarget(target);
  if (isRefusal(read)) return false;
  if (OPEN_PATHS.includes(read.path)) return true;
  const path = `${read.path.toLowerCase()}/`;
  return (
    controlPage && !path.includes("%") && !INTERFACES.some((prefix) => path.startsWith(prefix))
  );
}

/** Whether a Host header names the site; not without its port, which is never HTTPS's own. */
export function isSite(host: string, site: string | undefined): boolean {
  return site !== undefined && host.toLowerCase() === site;
}

function isLoopbackOrigin(origin: string): boolean {
  const match = /^https?:\/\/([^/?#@\\]+)$/i.exec(origin);
  return match?.[1] !== undefined && isLoopbackHost(match[1]);
}

/** `localhost` or a loopback address literal, with or without a port. */
function isLoopbackHost(host: string): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::[0-9]{1,5})?$/i.exec(host);
  const name = match?.[1]?.toLowerCase() ?? "";
  return (
    name === "localhost" ||
    classifyAddress(name.startsWith("[") ? name.slice(1, -1) : name) === "loopback"
  );
}
