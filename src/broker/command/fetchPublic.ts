import { isIP } from "node:net";
import type { BrokerDial } from "../BrokerConfig.ts";
import type { BrokerParts } from "../call/BrokerParts.ts";
import { failureOf } from "../call/Exchange.ts";
import type { Granted, InjectBrokerGrant } from "../Deployment.ts";
import { hostHeaders } from "../identify.ts";
import { valuesOf } from "../match.ts";

const MOST_REDIRECTS = 3;
/** How long nothing may come, in milliseconds. */
const IDLE_MS = 60_000;

export type FetchEnd =
  | { readonly end: "done"; readonly bytes: number }
  | { readonly end: "failed"; readonly code: string };

/**
 * Fetches what a service pointed to, from wherever that is: by HTTPS with a verified certificate, from a name
 * that is public (or in a network that the grant's `dial` names), without any credential, and no more than
 * `mostBytes`. One record for each host.
 */
export async function fetchPublic(
  parts: BrokerParts,
  { bot, grant }: { readonly bot: string; readonly grant: InjectBrokerGrant },
  url: string,
  options: {
    readonly mostBytes: number;
    readonly signal: AbortSignal;
    readonly write: (bytes: Buffer) => Promise<boolean>;
  },
): Promise<FetchEnd> {
  const { dial, ...plain } = grant;
  let next = url;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const target = readTarget(next);
    if (target === undefined) return { end: "failed", code: "address-refused" };
    const host = {
      name: target.hostname,
      port: Number(target.port || 443),
      scheme: "https",
    } as const;
    const granted: Granted = {
      bot,
      // Of this kind TLS is ended here and the certificate verified; of a tunnel neither is.
      grant: { ...plain, hosts: [host], places: [], rules: [], ...withoutPlace(dial) },
      host,
    };
    const end = await fetchOnce(parts, granted, `${target.pathname}${target.search}`, options);
    if (!("location" in end)) return end;
    next = URL.canParse(end.location, target.href) ? new URL(end.location, target.href).href : "";
  }
  return { end: "failed", code: "too-many-redirects" };
}

/** The way out and whom to trust, but not where to connect: that is what the address says. */
function withoutPlace(dial: BrokerDial | undefined): { readonly dial?: BrokerDial } {
  if (dial === undefined) return {};
  const { host: _host, port: _port, clientCertificate: _certificate, ...rest } = dial;
  return { dial: rest };
}

/** Names only: an address would be taken for one that the owner wrote. */
function readTarget(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" || url.username !== "" || url.password !== "") return undefined;
  const name = url.hostname.replace(/^\[|\]$/g, "");
  return isIP(name) !== 0 || !name.includes(".") ? undefined : url;
}

async function fetchOnce(
  parts: BrokerParts,
  granted: Granted,
  path: string,
  {
    mostBytes,
    signal,
    write,
  }: {
    readonly mostBytes: number;
    readonly signal: AbortSignal;
    readonly write: (bytes: Buffer) => Promise<boolean>;
  },
): Promise<FetchEnd | { readonly location: string }> {
  const { bot, grant, host } = granted;
  const began = Date.now();
  const start = {
    bot,
    kind: "call",
    grant: grant.name,
    host: `${host.name}:${host.port}`,
    method: "GET",
    path: "/**",
  } as const;
  const open = parts.inForce()?.audit.begin(start, began);
  if (open === undefined) return { end: "failed", code: "audit-unwritable" };
  let bytes = 0;
  const ended = new AbortController();
  const idle = setTimeout(() => {
    ended.abort();
  }, IDLE_MS);
  const gone = AbortSignal.any([signal, ended.signal]);
  const fail = (code: string, status?: number): FetchEnd => {
    open.end({
      outcome: signal.aborted ? "client-abort" : "upstream-error",
      code,
      ...(status === undefined ? {} : { status }),
      bytesIn: bytes,
    });
    return { end: "failed", code };
  };
  try {
    const upstream = await parts.pools.open(
      granted,
      {
        method: "GET",
        target: path,
        headers: [
          ["Host", hostHeaders(granted)[0]],
          ["Accept-Encoding", "identity"],
        ],
      },
      { signal: gone, timeoutMs: parts.timeouts.connect, fresh: true, h2: false },
    );
    try {
      upstream.end(Buffer.alloc(0), []);
      const cut = (): void => {
        upstream.destroy();
      };
      gone.addEventListener("abort", cut, { once: true });
      const reply = await upstream.reply;
      const { status } = reply;
      if (status >= 300 && status < 400) {
        const [location] = valuesOf(reply.headers, "location");
        if (location === undefined) return fail("redirect", status);
        open.end({ outcome: "done", status });
        return { location };
      }
      if (status !== 200) return fail(`http-${status}`, status);
      for await (const chunk of reply.body) {
        idle.refresh();
        bytes += chunk.length;
        if (bytes > mostBytes) return fail("too-large", status);
        if (!(await write(chunk))) return fail("client-gone", status);
      }
      open.end({ outcome: "done", status, bytesIn: bytes });
      return { end: "done", bytes };
    } finally {
      upstream.destroy();
    }
  } catch (error) {
    return fail(ended.signal.aborted ? "too-slow" : failureOf(error));
  } finally {
    clearTimeout(idle);
  }
}
