import type { Granted } from "../Deployment.ts";
import { composeRequest } from "../http/h1/composeRequest.ts";
import { H1Connection } from "../http/h1/H1Connection.ts";
import { HostPool, type ConnectionOptions, type UpstreamConnection } from "../http/HostPool.ts";
import type { UpstreamExchange } from "../http/UpstreamExchange.ts";
import type { Outgoing } from "../inject/inject.ts";
import type { Resolve } from "./Destination.ts";
import { DialError } from "./DialError.ts";

/** An idle connection is given up before most servers would (nginx 75 s, AWS 60 s): fewer calls meet a stale one. */
const IDLE_MS = 15_000;
const SWEEPS = 3;

/** What an exchange is asked for beside its request. */
export interface ExchangeOptions extends ConnectionOptions {
  /** The reply may be 101, with a socket that is the caller's from then on. */
  readonly upgrade?: boolean;
  /** The bot said that it takes trailers. */
  readonly trailers?: boolean;
}

/**
 * One keep-alive pool per bot, grant and host, made when first used. Connections are never shared
 * between bots or grants, nor is a TLS session.
 *
 * A stale keep-alive socket is not papered over here: `forward` tries once more, and only when
 * nothing can have happened twice.
 */
export class UpstreamPools {
  readonly #pools = new Map<string, HostPool>();
  /** The pools again, by what each call has in its hand: making a key for every call would be dear. */
  readonly #byHost = new WeakMap<Granted["host"], { granted: Granted; pool: HostPool }>();
  readonly #resolve: Resolve;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(resolve: Resolve) {
    this.#resolve = resolve;
  }

  /**
   * Starts a request; the caller ends it and reads its reply. At once where a connection is idle.
   * TLS is verified always, against the granted name, whatever is dialled.
   *
   * @throws UpstreamError or DialError, also by the promise.
   */
  open(
    granted: Granted,
    outgoing: Outgoing,
    options: ExchangeOptions,
  ): UpstreamExchange | Promise<UpstreamExchange> {
    // By HTTP/2 too: whoever passes the request on may do so by HTTP/1.1.
    const request = composeRequest(outgoing);
    const start = (connection: UpstreamConnection): UpstreamExchange =>
      connection instanceof H1Connection
        ? connection.start(request, options.upgrade === true)
        : connection.start(outgoing, options.trailers === true);
    const connection = this.#pool(granted).take(options);
    return connection instanceof Promise ? connection.then(start) : start(connection);
  }

  /**
   * A connection to be given back by its `release` or closed, made for it if need be.
   *
   * @throws DialError, by the promise.
   */
  async dial(granted: Granted, options: Omit<ConnectionOptions, "h2">): Promise<H1Connection> {
    const connection = await this.#pool(granted).take({ ...options, h2: false });
    if (connection instanceof H1Connection) return connection;
    throw new DialError("upstream-protocol", "the host speaks what it wasn't asked for");
  }

  /** A connection that is there, to be given back by its `release` or closed. */
  takeIdle(granted: Granted): H1Connection | undefined {
    return this.#byHost.get(granted.host)?.granted.grant === granted.grant
      ? this.#pool(granted).takeIdle()
      : undefined;
  }

  /** Keeps only the pools of these hosts; connections of the others end with the call that uses them. */
  retain(granted: Iterable<Granted>): void {
    const wanted = new Set([...granted].map((each) => poolKey(each)));
    for (const [key, pool] of this.#pools) {
      if (wanted.has(key)) continue;
      this.#pools.delete(key);
      pool.retire();
    }
  }

  /** Cuts every connection, used or idle. */
  destroy(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
    for (const pool of this.#pools.values()) pool.destroy();
    this.#pools.clear();
  }

  #pool(granted: Granted): HostPool {
    const last = this.#byHost.get(granted.host);
    if (last?.granted.grant === granted.grant && last.granted.bot === granted.bot) return last.pool;
    const pool = this.#poolOf(granted);
    this.#byHost.set(granted.host, { granted, pool });
    return pool;
  }

  #poolOf(granted: Granted): HostPool {
    const key = poolKey(granted);
    const there = this.#pools.get(key);
    if (there !== undefined) return there;
    const pool = new HostPool(granted, this.#resolve);
    this.#pools.set(key, pool);
    this.#sweeper ??= setInterval(() => {
      for (const each of this.#pools.values()) each.sweep(SWEEPS);
    }, IDLE_MS / SWEEPS).unref();
    return pool;
  }
}

function poolKey({ bot, grant, host }: Granted): string {
  return JSON.stringify([bot, grant.name, host.scheme, host.name, host.port, grant.dial ?? null]);
}
