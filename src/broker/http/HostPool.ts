import type { SecureContext } from "node:tls";
import { connectUpstream } from "../dial/connectUpstream.ts";
import type { Resolve } from "../dial/Destination.ts";
import {
  makeUpstreamContext,
  type ClientCertificate,
  type UpstreamSession,
} from "../dial/upstreamTls.ts";
import type { Granted } from "../Deployment.ts";
import { H2Session } from "./h2/H2Session.ts";
import { H1Connection, type ConnectionKeeper } from "./h1/H1Connection.ts";

/** More calls to one host than this at once wait for their turn. */
const MOST_CONNECTIONS = 1200;

export interface ConnectionOptions {
  /** The bot speaks HTTP/2, so the upstream is asked for it too. */
  readonly h2: boolean;
  readonly timeoutMs: number;
  /** Aborts when the bot gives up. */
  readonly signal: AbortSignal;
  /** Not one that was used before. */
  readonly fresh?: boolean;
  readonly clientCertificate?: ClientCertificate;
}

/** What a call is made on. */
export type UpstreamConnection = H1Connection | H2Session;

/** The connections of one bot to one host by one grant. They are never used for another. */
export class HostPool implements ConnectionKeeper {
  readonly #granted: Granted;
  readonly #resolve: Resolve;
  readonly #all = new Set<H1Connection>();
  readonly #sessions = new Set<H2Session>();
  /** Calls by HTTP/2 that come at once share the session that the first of them makes. */
  #openingSession: Promise<UpstreamConnection> | undefined;
  readonly #idle: H1Connection[] = [];
  readonly #waiting: (() => void)[] = [];
  /** Known once it was asked. */
  #speaksH2: boolean | undefined;
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
   * A connection that nobody else uses, or one by HTTP/2 with room for a stream; at once where there is one.
   *
   * @throws DialError, by the promise.
   */
  take(options: ConnectionOptions): UpstreamConnection | Promise<UpstreamConnection> {
    if (options.fresh !== true) {
      const there = this.#asksH2(options) ? this.#findSession() : this.takeIdle();
      if (there !== undefined) return there;
    }
    return this.#asksH2(options) ? this.#takeSession(options) : this.#dial(options);
  }

  /** One that is there and served a call before; the one used last, so that the others may grow old. */
  takeIdle(): H1Connection | undefined {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop())
      if (last.usable) return last;
    return undefined;
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
    for (const session of this.#sessions) {
      if (session.open > 0) session.idleSince = this.#tick;
      else if (this.#tick - session.idleSince > most) session.destroy();
    }
  }

  /** No further calls; those that run are not disturbed. */
  retire(): void {
    this.#retired = true;
    for (const connection of this.#idle.splice(0)) connection.close();
    for (const session of this.#sessions) session.retire();
  }

  /** Cuts everything. */
  destroy(): void {
    this.#retired = true;
    for (const connection of this.#all) connection.close();
    for (const session of this.#sessions) session.destroy();
  }

  #asksH2(options: ConnectionOptions): boolean {
    return options.h2 && this.#speaksH2 !== false;
  }

  #findSession(): H2Session | undefined {
    for (const session of this.#sessions) if (session.usable) return session;
    return undefined;
  }

  async #takeSession(options: ConnectionOptions): Promise<UpstreamConnection> {
    while (this.#openingSession !== undefined && this.#speaksH2 !== false) {
      try {
        await this.#openingSession;
      } catch {
        // That call was told; this one tries for itself.
      }
      const session = options.fresh === true ? undefined : this.#findSession();
      if (session !== undefined) return session;
    }
    const opening = this.#dial(options);
    this.#openingSession = opening;
    try {
      return await opening;
    } finally {
      this.#openingSession = undefined;
    }
  }

  async #dial(options: ConnectionOptions): Promise<UpstreamConnection> {
    while (this.#all.size + this.#dialling >= MOST_CONNECTIONS) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      const idle = this.takeIdle();
      if (idle !== undefined) return idle;
    }
    this.#dialling += 1;
    try {
      const { timeoutMs, signal } = options;
      const { socket, alpn } = await connectUpstream(this.#granted, {
        resolve: this.#resolve,
        alpn: options.h2 ? ["h2", "http/1.1"] : ["http/1.1"],
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
      if (options.h2) this.#speaksH2 = alpn === "h2";
      if (alpn === "h2") {
        const session = await H2Session.open(socket, (gone) => this.#sessions.delete(gone));
        session.idleSince = this.#tick;
        this.#sessions.add(session);
        // Nobody looks after a pool that was let go of while this was being connected.
        if (this.#retired) session.retireAfterUse();
        return session;
      }
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
