import type { Socket } from "node:net";
import type { ComposedRequest } from "./composeRequest.ts";
import { H1Exchange } from "./H1Exchange.ts";

/** Who keeps a connection between calls. */
export interface ConnectionKeeper {
  /** Another call may use it. */
  free(connection: H1Connection): void;
  /** It is of no use any more; told once. */
  gone(connection: H1Connection): void;
}

/** A call that a connection is used for. */
export interface ConnectionUser {
  onData(chunk: Buffer): void;
  onDrain(): void;
  /** The upstream sends nothing more. */
  onEnd(): void;
  onGone(error: Error | undefined): void;
}

/** One connection to an upstream, for one HTTP/1.1 call after the other. */
export class H1Connection {
  readonly socket: Socket;
  readonly #keeper: ConnectionKeeper;
  #exchange: ConnectionUser | undefined;
  #used = false;
  #gone = false;
  /** For whoever sweeps idle connections. */
  idleSince = 0;

  /** @param socket connected, TLS done; this takes it over. */
  constructor(socket: Socket, keeper: ConnectionKeeper) {
    this.socket = socket;
    this.#keeper = keeper;
    socket.on("data", (chunk: Buffer) => {
      // What nobody asked for could be taken for the next call's reply.
      if (this.#exchange === undefined) this.close();
      else this.#exchange.onData(chunk);
    });
    socket.on("drain", () => this.#exchange?.onDrain());
    socket.on("end", () => {
      if (this.#exchange === undefined) this.close();
      else this.#exchange.onEnd();
    });
    socket.on("error", (error) => {
      this.#exchange?.onGone(error);
    });
    socket.on("close", () => {
      this.#exchange?.onGone(undefined);
      this.#leave();
    });
  }

  get usable(): boolean {
    return !this.#gone && !this.socket.destroyed && this.socket.writable;
  }

  start(request: ComposedRequest, upgrade: boolean): H1Exchange {
    const exchange = new H1Exchange(this, request, { upgrade, reused: this.#used });
    this.#exchange = exchange;
    this.#used = true;
    if (!this.usable) exchange.onGone(undefined);
    return exchange;
  }

  /** For a call that writes and reads itself. `false` where it is of no use any more. */
  lend(user: ConnectionUser): boolean {
    this.#exchange = user;
    this.#used = true;
    return this.usable;
  }

  /** Called by its exchange when both request and reply are over and another may follow. */
  release(): void {
    this.#exchange = undefined;
    if (this.socket.isPaused()) this.socket.resume();
    if (this.usable) this.#keeper.free(this);
    else this.close();
  }

  /** The socket is another protocol's from here on. */
  detach(): void {
    this.#exchange = undefined;
    for (const event of ["data", "drain", "end", "close"]) this.socket.removeAllListeners(event);
    this.#leave();
  }

  close(): void {
    this.socket.destroy();
    this.#leave();
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#keeper.gone(this);
  }
}
