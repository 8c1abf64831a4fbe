import type { TLSSocket } from "node:tls";
import type { RefusalCode } from "../../Refusal.ts";
import { FloodGuard } from "./FloodGuard.ts";
import { H2Visit } from "./H2Visit.ts";
import { readH2Head } from "./readH2Head.ts";

/** What is done with a session's requests. */
export interface H2User {
  visit(visit: H2Visit): void;
  /** Records what never became a request. */
  refuse(code: RefusalCode): void;
  closed(connection: H2BotConnection): void;
}

/** A bot's connection by HTTP/2. */
export interface H2BotConnection {
  readonly idle: boolean;
  /** Called at equal intervals; without a stream for more than `most` of them it is closed. */
  sweep(most: number): void;
  /** No further streams; ends with the last one. */
  close(): void;
}

const MOST_STREAMS = 128;
const LONGEST_HEAD = 32 * 1024;
const MOST_HEADERS = 200;
const NO_ERROR = 0;
const PROTOCOL_ERROR = 1;
const ENHANCE_YOUR_CALM = 11;
/** Per ten seconds; an honest client that gives up all its streams at once stays far below. */
const MOST_RESETS = 300;
const MOST_PINGS = 100;
const MOST_SETTINGS = 20;

/**
 * Serves a connection that has agreed on HTTP/2. node:http2 is loaded with the first one: most
 * brokers never see any.
 *
 * CONTINUATION floods and lists of headers beyond 32 KB are nghttp2's and Node's to end; bursts of
 * resets, pings and settings end the session here.
 */
export async function serveH2(socket: TLSSocket, user: H2User): Promise<H2BotConnection> {
  const { performServerHandshake } = await import("node:http2");
  // A socket that no tls.Server made still counts as connecting, and a session would wait for ever
  // (lib/internal/http2/core.js, measured with Node 24.21).
  Reflect.set(socket, "secureConnecting", false);
  const session = performServerHandshake(socket, {
    settings: {
      maxConcurrentStreams: MOST_STREAMS,
      maxHeaderListSize: LONGEST_HEAD,
      enablePush: false,
    },
    maxHeaderListPairs: MOST_HEADERS + 8,
    maxSessionInvalidFrames: 32,
    maxSessionRejectedStreams: 64,
    maxOutstandingPings: 4,
  });
  let open = 0;
  let quiet = 0;
  const connection: H2BotConnection = {
    get idle() {
      return open === 0;
    },
    sweep(most) {
      quiet += 1;
      if (open === 0 && quiet > most) session.destroy();
    },
    close() {
      if (session.destroyed) return;
      if (open === 0) session.destroy();
      else session.close();
    },
  };
  const calm = (): void => {
    if (session.destroyed) return;
    session.destroy(undefined, ENHANCE_YOUR_CALM);
    user.refuse("too-many-connections");
  };
  const resets = new FloodGuard(MOST_RESETS, calm);
  const pings = new FloodGuard(MOST_PINGS, calm);
  const settings = new FloodGuard(MOST_SETTINGS, calm);
  session.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code?.startsWith("ERR_HTTP2") === true) user.refuse("malformed-request");
  });
  session.once("close", () => {
    user.closed(connection);
    socket.destroy();
  });
  // A bot that closes its half has gone away, as by HTTP/1.1. The session itself would wait for the other
  // half: the socket allows that, since what is passed through needs it.
  const gone = (): void => {
    session.destroy();
    socket.destroy();
  };
  if (socket.readableEnded || socket.destroyed) gone();
  else socket.once("end", gone);
  session.on("ping", () => {
    pings.count();
  });
  session.on("remoteSettings", () => {
    settings.count();
  });
  session.on("stream", (stream, headers, _flags, raw) => {
    if (stream.destroyed) {
      // Opened and reset in one go: it has never been a request.
      resets.count();
      return;
    }
    open += 1;
    stream.once("close", () => {
      open -= 1;
      quiet = 0;
      if (stream.rstCode !== NO_ERROR) resets.count();
    });
    const list: unknown = raw;
    const pairs = Array.isArray(list)
      ? (list as string[])
      : Object.entries(headers).flat().map(String);
    const head = readH2Head(pairs, stream.endAfterHeaders);
    if (head === undefined) {
      stream.on("error", () => undefined);
      stream.close(PROTOCOL_ERROR);
      user.refuse("malformed-request");
      return;
    }
    user.visit(new H2Visit(stream, head));
  });
  return connection;
}
