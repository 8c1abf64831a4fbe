import type { ClientHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Outgoing } from "../../inject/inject.ts";
import { FloodGuard } from "./FloodGuard.ts";
import { h2Fields } from "./h2Fields.ts";
import { H2Exchange } from "./H2Exchange.ts";

/** Per ten seconds; more is no server that means well. */
const MOST_PINGS = 200;
const MOST_SETTINGS = 40;
const LONGEST_HEAD = 64 * 1024;

/** A connection to an upstream by HTTP/2, for many calls of the same bot and grant at once. */
export class H2Session {
  readonly #session: ClientHttp2Session;
  #open = 0;
  #used = false;
  #closing = false;
  /** For whoever sweeps idle connections. */
  idleSince = 0;

  private constructor(session: ClientHttp2Session, onGone: (session: H2Session) => void) {
    this.#session = session;
    const cut = (): void => {
      session.destroy();
    };
    const pings = new FloodGuard(MOST_PINGS, cut);
    const settings = new FloodGuard(MOST_SETTINGS, cut);
    session.on("error", () => undefined);
    session.on("goaway", () => {
      this.#closing = true;
    });
    session.on("ping", () => {
      pings.count();
    });
    session.on("remoteSettings", () => {
      settings.count();
    });
    session.once("close", () => {
      this.#closing = true;
      onGone(this);
    });
  }

  /**
   * @param socket connected, TLS done with h2 agreed on; this takes it over.
   * @param onGone told once, when it is of no use any more.
   */
  static async open(socket: Socket, onGone: (session: H2Session) => void): Promise<H2Session> {
    const { connect } = await import("node:http2");
    const session = connect("https://upstream.invalid", {
      createConnection: () => socket,
      settings: { enablePush: false, maxHeaderListSize: LONGEST_HEAD },
      maxHeaderListPairs: 256,
      maxOutstandingPings: 4,
    });
    return new H2Session(session, onGone);
  }

  get open(): number {
    return this.#open;
  }

  /** Whether another call may be started on it. */
  get usable(): boolean {
    if (this.#closing || this.#session.closed || this.#session.destroyed) return false;
    // Until its settings have come the protocol's advice is the least (RFC 9113 section 6.5.2).
    return this.#open < (this.#session.remoteSettings.maxConcurrentStreams ?? 100);
  }

  /** @param trailers the caller takes them, as gRPC has to. */
  start(outgoing: Outgoing, trailers: boolean): H2Exchange {
    const { method, target, headers } = outgoing;
    const host = headers.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "";
    const fields = [":method", method, ":scheme", "https", ":authority", host, ":path", target];
    fields.push(...h2Fields(headers));
    if (trailers) fields.push("te", "trailers");
    // END_STREAM waits for the trailers, be they none: a request that is cut must not look finished.
    const stream = this.#session.request(fields, { endStream: false, waitForTrailers: true });
    this.#open += 1;
    stream.once("close", () => {
      this.#open -= 1;
      if (this.#closing && this.#open === 0) this.destroy();
    });
    const exchange = new H2Exchange(stream, this.#used);
    this.#used = true;
    return exchange;
  }

  /** For the one call it was made for, and no further ones; ends with it. */
  retireAfterUse(): void {
    this.#closing = true;
  }

  /** No further calls; ends with the last one. */
  retire(): void {
    this.#closing = true;
    if (this.#open === 0) this.destroy();
    else this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }
}
