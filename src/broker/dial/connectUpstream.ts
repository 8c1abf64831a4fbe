import type { Socket } from "node:net";
import type { SecureContext, TLSSocket } from "node:tls";
import type { Granted } from "../Deployment.ts";
import { connectTcp } from "./connectTcp.ts";
import { destinationOf, type Destination, type Resolve } from "./Destination.ts";
import { DialError } from "./DialError.ts";
import { findAddresses } from "./findAddresses.ts";
import { nameFailure } from "./nameFailure.ts";
import { readProxyAddress } from "./ProxyAddress.ts";
import { askProxy } from "./proxyHandshake.ts";
import { raceAddresses } from "./raceAddresses.ts";
import {
  makeUpstreamContext,
  secureUpstream,
  type ClientCertificate,
  type UpstreamSession,
} from "./upstreamTls.ts";

/** RFC 8305 section 8: Connection Attempt Delay. */
const STAGGER_MS = 250;
/** A proxy answers only when it has connected, so its silence means less. */
const PROXY_STAGGER_MS = 1000;

export interface ConnectOptions {
  readonly resolve: Resolve;
  /** Protocols to offer, by preference; empty for none. */
  readonly alpn: readonly string[];
  /** For all of it together: names, proxy, TCP, TLS. */
  readonly timeoutMs: number;
  /** The pool's, from `makeUpstreamContext` for the same grant; made anew if absent. */
  readonly secureContext?: SecureContext;
  /** The last one that came; it is used only for the name and `secureContext` it was made with. */
  readonly session?: UpstreamSession;
  /** A session to resume by came; with TLS 1.3 that is after the handshake and more than once. */
  readonly onSession?: (session: UpstreamSession) => void;
  /** Where there is no `secureContext`. */
  readonly clientCertificate?: ClientCertificate;
  /** Gives up when the bot does. */
  readonly signal?: AbortSignal;
  /** Whether the connection's halves close on their own, for bytes that are passed through. */
  readonly allowHalfOpen?: boolean;
}

export interface UpstreamConnection {
  readonly socket: Socket | TLSSocket;
  /** What was agreed on, or empty: no TLS, or the upstream doesn't do ALPN. */
  readonly alpn: string;
  /** The address it goes to; by proxy the one the proxy was given. */
  readonly address: string;
}

/**
 * Connects to a granted host: the one way out of the broker. Names are resolved here, each address
 * is checked and only checked ones are dialled, also by a proxy. `https` hosts of a grant that isn't a
 * tunnel get TLS, verified against the granted name; for all others the bytes are the caller's.
 *
 * The socket comes with an `error` listener that does nothing, so check `destroyed` before use.
 *
 * @throws DialError, its `refused` saying why; nothing is left open then.
 */
export async function connectUpstream(
  granted: Granted,
  options: ConnectOptions,
): Promise<UpstreamConnection> {
  const given = options.signal;
  const life = new AbortController();
  const timer = setTimeout(() => {
    life.abort(new DialError("upstream-unreachable", "the host took too long"));
  }, options.timeoutMs);
  const giveUp = (): void => {
    life.abort(new DialError("upstream-unreachable", "given up"));
  };
  given?.addEventListener("abort", giveUp, { once: true });
  if (given?.aborted === true) giveUp();
  try {
    return await connect(granted, options, life.signal);
  } catch (error) {
    if (error instanceof DialError) throw error;
    throw new DialError(nameFailure(error), "no connection to the host", { cause: error });
  } finally {
    clearTimeout(timer);
    given?.removeEventListener("abort", giveUp);
  }
}

async function connect(
  granted: Granted,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<UpstreamConnection> {
  const secure = granted.host.scheme === "https" && granted.grant.kind !== "tunnel";
  const context = secure
    ? (options.secureContext ?? makeUpstreamContext(granted, options.clientCertificate))
    : undefined;
  const { socket, address } = await openTcp(granted, options, signal);
  if (context === undefined) return { socket, alpn: "", address };
  const { alpn, session, onSession } = options;
  const tls = await secureUpstream(granted, socket, { alpn, context, session, onSession, signal });
  return { socket: tls, alpn: tls.alpnProtocol === false ? "" : (tls.alpnProtocol ?? ""), address };
}

interface Opened {
  readonly socket: Socket;
  readonly address: string;
  destroy(): void;
}

async function openTcp(
  granted: Granted,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<Opened> {
  const { resolve, allowHalfOpen = false } = options;
  const destination = destinationOf(granted);
  const addresses = await abortable(findAddresses(destination, resolve), signal);
  const direct =
    ({ port }: Destination) =>
    async (address: string, over: AbortSignal): Promise<Opened> =>
      opened(await connectTcp(address, port, { signal: over, allowHalfOpen }), address);
  const declared = granted.grant.dial?.proxy;
  if (declared === undefined)
    return raceAddresses(addresses, STAGGER_MS, signal, direct(destination));

  const proxy = readProxyAddress(declared, granted.host.scheme === "http");
  // TLS and HTTP begin with the client; other protocols may begin with the server.
  const serverFirst = granted.host.scheme === "tcp";
  const proxies = await abortable(findAddresses(proxy.destination, resolve), signal);
  return raceAddresses(addresses, PROXY_STAGGER_MS, signal, async (address, over) => {
    const { socket } = await raceAddresses(proxies, STAGGER_MS, over, direct(proxy.destination));
    const cut = (): void => {
      socket.destroy();
    };
    over.addEventListener("abort", cut, { once: true });
    try {
      await askProxy(proxy.kind, socket, address, destination.port, serverFirst);
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      over.removeEventListener("abort", cut);
    }
    return opened(socket, address);
  });
}

function opened(socket: Socket, address: string): Opened {
  return { socket, address, destroy: () => socket.destroy() };
}

/** A lookup can't be stopped, only not waited for. */
async function abortable<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", abort, { once: true });
    promise
      .finally(() => {
        signal.removeEventListener("abort", abort);
      })
      .then(resolve, reject);
  });
}
