import http from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import tls from "node:tls";
import type { Granted } from "../Deployment.ts";
import { NodeExchange } from "../http/node/NodeExchange.ts";
import type { UpstreamExchange } from "../http/UpstreamExchange.ts";
import type { Outgoing } from "../inject/inject.ts";
import { destinationOf, guardedLookup, mayDial, type Resolve } from "./Destination.ts";

/** An idle connection is given up before most servers would (nginx 75 s, AWS 60 s): fewer calls meet a stale one. */
const IDLE_MS = 15_000;
const MOST_SOCKETS = 128;
const LONGEST_HEADER = 64 * 1024;

/**
 * One keep-alive pool per bot, grant and host, made when first used. Connections are never shared
 * between bots or grants, nor is a TLS session.
 *
 * A stale keep-alive socket is not papered over here: `forward` tries once more, and only when
 * nothing can have happened twice.
 */
export class UpstreamPools {
  readonly #pools = new Map<string, http.Agent>();
  readonly #resolve: Resolve;

  constructor(resolve: Resolve) {
    this.#resolve = resolve;
  }

  /**
   * Starts a request; the caller ends it and reads its reply. `undefined` when the grant doesn't allow the address.
   * TLS is verified always, against the granted name, whatever is dialled.
   */
  open(
    granted: Granted,
    outgoing: Outgoing,
    connectTimeoutMs: number,
  ): UpstreamExchange | undefined {
    const destination = destinationOf(granted);
    if (!mayDial(destination)) return undefined;
    const options = {
      agent: this.#pool(granted),
      host: destination.host,
      port: destination.port,
      method: outgoing.method,
      path: outgoing.target,
      headers: outgoing.headers.flat(),
      maxHeaderSize: LONGEST_HEADER,
    };
    const request =
      granted.host.scheme === "https" ? https.request(options) : http.request(options);
    return new NodeExchange(request, connectTimeoutMs);
  }

  /** Keeps only the pools of these hosts; connections of the others end with the call that uses them. */
  retain(granted: Iterable<Granted>): void {
    const wanted = new Set([...granted].map((each) => poolKey(each)));
    for (const [key, agent] of this.#pools) {
      if (wanted.has(key)) continue;
      this.#pools.delete(key);
      agent.maxFreeSockets = 0;
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
    }
  }

  /** Cuts every connection, used or idle. */
  destroy(): void {
    for (const agent of this.#pools.values()) agent.destroy();
    this.#pools.clear();
  }

  #pool(granted: Granted): http.Agent {
    const key = poolKey(granted);
    const there = this.#pools.get(key);
    if (there !== undefined) return there;
    const { allowed } = destinationOf(granted);
    const common = {
      keepAlive: true,
      maxSockets: MOST_SOCKETS,
      maxFreeSockets: 8,
      timeout: IDLE_MS,
      lookup: guardedLookup(allowed, this.#resolve),
    };
    const agent =
      granted.host.scheme === "https"
        ? new https.Agent({ ...common, ...verifiedTls(granted) })
        : new http.Agent(common);
    this.#pools.set(key, agent);
    return agent;
  }
}

/** TLS options that hold the upstream to the granted name. */
function verifiedTls({ grant, host }: Granted): https.AgentOptions {
  const ca = grant.dial?.ca;
  return {
    rejectUnauthorized: true,
    // An IP literal is no server name (RFC 6066 section 3); the certificate is checked against it all the same.
    servername: isIP(host.name) === 0 ? host.name : "",
    checkServerIdentity: (_dialled, certificate) => tls.checkServerIdentity(host.name, certificate),
    // One context for the pool: Node would otherwise parse the CAs again for each connection.
    secureContext: tls.createSecureContext({
      minVersion: "TLSv1.2",
      ...(ca === undefined ? {} : { ca }),
    }),
  };
}

function poolKey({ bot, grant, host }: Granted): string {
  return JSON.stringify([bot, grant.name, host.scheme, host.name, host.port, grant.dial ?? null]);
}
