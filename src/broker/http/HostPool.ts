import type { SecureContext } from "node:tls";
import { connectUpstream } from "../dial/connectUpstream.ts";
import type { Resolve } from "../dial/Destination.ts";
import {
  makeUpstreamContext,
  type ClientCertificate,
  type UpstreamSession,
} from "../dial/upstreamTls.ts";
import type { Granted } from "../Deployment.ts";
import { H1Connection, type ConnectionKeeper } from "./h1/H1Connection.ts";

/** More calls to one host than this at once wait for their turn. */
const MOST_CONNECTIONS = 1200;

export interface ConnectionOptions {
  readonly timeoutMs: number;
  /** Aborts when the bot gives up. */
  readonly signal: AbortSignal;
  /** Not one that was used before. */
  readonly fresh?: boolean;
  readonly clientCertificate?: ClientCertificate;
}

/** The connections of one bot to one host by one grant. They are never used for another. */
export class HostPool implements ConnectionKeeper {
  readonly #granted: Granted;
  readonly #resolve: Resolve;
  readonly #all = new Set<H1Connection>();
  readonly #idle: H1Connection[] = [];
  readonly #waiting: (() => void)[] = [];
  #dialling = 0;
  #retired = false;
  #tick = 0;
  #context: SecureContext | undefined;
  #certificate: ClientCertificate | undefined;
  #session: UpstreamSession | undefined;

  constructor(granted: Granted, resolve: Resolve) {
    this.#granted = granted;
    this.#resolve = resolve;
  }

  /**
   * A connection that nobody else uses; at once where one is idle.
   *
   * @throws DialError, by the promise.
   */
  take(options: ConnectionOptions): H1Connection | Promise<H1Connection> {
    if (options.fresh !== true) {
      const idle = this.#takeIdle();
      if (idle !== undefined) return idle;
    }
    return this.#dial(options);
  }

  free(connection: H1Connection): void {
    if (this.#retired) {
      connection.close();
      return;
    }
    connection.idleSince = this.#tick;
    this.#idle.push(connection);
    this.#waiting.shift()?.();
  }

  gone(connection: H1Connection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#waiting.shift()?.();
  }

  /** Called at equal intervals: what has been idle since `most` of them is closed. */
  sweep(most: number): void {
    this.#tick += 1;
    for (const connection of this.#idle.filter((each) => this.#tick - each.idleSince > most))
      connection.close();
  }

  /** No further calls; those that run are not disturbed. */
  retire(): void {
    this.#retired = true;
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  /** Cuts everything. */
  destroy(): void {
    this.#retired = true;
    for (const connection of this.#all) connection.close();
  }

  /** The one used last: the others may then grow old. */
  #takeIdle(): H1Connection | undefined {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop())
      if (last.usable) return last;
    return undefined;
  }

  async #dial(options: ConnectionOptions): Promise<H1Connection> {
    while (this.#all.size + this.#dialling >= MOST_CONNECTIONS) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      const idle = this.#takeIdle();
      if (idle !== undefined) return idle;
    }
    this.#dialling += 1;
    try {
      const { timeoutMs, signal } = options;
      const { socket } = await connectUpstream(this.#granted, {
        resolve: this.#resolve,
        alpn: ["http/1.1"],
        timeoutMs,
        signal,
        ...(this.#granted.host.scheme === "https"
          ? { secureContext: this.#secureContext(options.clientCertificate) }
          : {}),
        ...(this.#session === undefined ? {} : { session: this.#session }),
        onSession: (session) => {
          this.#session = session;
        },
      });
      const connection = new H1Connection(socket, this);
      this.#all.add(connection);
      return connection;
    } finally {
      this.#dialling -= 1;
    }
  }

  /** One context for the pool: Node would otherwise parse the CAs again for each connection. */
  #secureContext(certificate: ClientCertificate | undefined): SecureContext {
    const before = this.#certificate;
    if (before?.cert !== certificate?.cert || before?.key !== certificate?.key)
      this.#context = undefined;
    this.#certificate = certificate;
    if (this.#context === undefined) {
      this.#context = makeUpstreamContext(this.#granted, certificate);
      this.#session = undefined;
    }
    return this.#context;
  }
}
