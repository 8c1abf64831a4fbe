import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { describeRefusal, type RefusalCode } from "../Refusal.ts";
import { BotConnection, type QuickStart } from "../http/h1/BotConnection.ts";
import type { HeadKey } from "../http/h1/headKey.ts";
import { serveH2, type H2BotConnection } from "../http/h2/serveH2.ts";
import { headOf, NodeVisit } from "../http/node/NodeVisit.ts";
import { acceptConnect, handleProxied, type ProxyConnection } from "../proxy/serveProxy.ts";
import type { BrokerParts } from "./BrokerParts.ts";
import { handleCall, recordRefusal, type Connection } from "./handleCall.ts";
import { originKey } from "./KnownCalls.ts";
import { prepareQuickCall, QuickCall } from "./QuickCall.ts";
import { refusedResponseText } from "./replyRefused.ts";

/** Takes connections over, once they are identified, and serves the calls on them. */
export interface CallServer {
  take(socket: Socket, connection: Connection): void;
  takeProxied(socket: Socket, connection: ProxyConnection): void;
  /** Closes connections on which nothing runs, and stops looking after the others. */
  closeIdle(): void;
}

const MOST_PIPELINED = 16;
const IDLE_MS = 60_000;
const SWEEPS = 3;

interface Adopted {
  readonly connection: Connection | ProxyConnection;
  running: number;
  /** Answered for good: what still comes is nobody's request. */
  refused?: true;
}

/**
 * Serves the calls of all bots. Requests of the plain kind are read here (`BotConnection`); the first
 * that is anything else takes its connection to Node's own server, which never listens itself.
 * Limits are said here rather than left to Node's defaults:
 *
 * - a request's head must be there within `headMs` and have at most 32 KB; how long a body or a reply
 *   takes isn't bounded, a model may think for ten minutes;
 * - `maxHeadersCount` 0: Node would otherwise hide the headers beyond its limit, and what is hidden
 *   can't be checked (`readCall` refuses more than 200).
 */
export function serveCalls(parts: () => BrokerParts, headMs: number): CallServer {
  const adopted = new WeakMap<Duplex, Adopted>();
  const server = http.createServer({
    insecureHTTPParser: false,
    requireHostHeader: false, // `readCall` checks it, and refuses with a record
    maxHeaderSize: 32 * 1024,
    headersTimeout: headMs,
    requestTimeout: 0,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: Math.ceil(headMs / SWEEPS),
  });
  server.maxHeadersCount = 0;
  server.timeout = 0;
  // A server that never listens doesn't start the check of headersTimeout by itself (lib/_http_server.js
  // does it on this event; measured with Node 24.21: without it a half-sent head stays for ever).
  server.emit("listening");

  const call = (request: IncomingMessage, response: ServerResponse): void => {
    const known = adopted.get(request.socket);
    if (known === undefined) {
      request.destroy();
      return;
    }
    if (known.running >= MOST_PIPELINED) {
      // No client pipelines like that; each request would cost memory before its turn to be answered.
      refuseUnread(parts(), known.connection, "too-many-connections", request.socket, false);
      return;
    }
    known.running += 1;
    response.once("close", () => {
      known.running -= 1;
    });
    const { connection } = known;
    const visit = new NodeVisit(request, response);
    if ("proxy" in connection) void handleProxied(parts(), connection, visit);
    else void handleCall(parts(), connection, visit);
  };
  server.on("request", call);
  // Node answers neither of these itself when there is a listener: `handleCall` does, after its decision.
  server.on("checkContinue", call);
  server.on("checkExpectation", call);
  server.on("connect", (request: IncomingMessage, socket: Duplex, rest: Buffer) => {
    const known = adopted.get(socket);
    // Where answers are still to come, nothing may come before them.
    if (known !== undefined && "proxy" in known.connection && known.running === 0)
      acceptConnect(parts(), known.connection, headOf(request), request.socket, rest);
    else refuseUnread(parts(), known?.connection, "connect-method", socket);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    const known = adopted.get(socket);
    // Node says it again for each piece that still comes, while the answer is on its way.
    if (known?.refused === true) return;
    // In the middle of a call, that call's own record tells of it. A reset between calls is nothing.
    if (
      known === undefined ||
      known.running > 0 ||
      error.code === "ECONNRESET" ||
      error.code === "EPIPE"
    )
      socket.destroy();
    else {
      known.refused = true;
      refuseUnread(parts(), known.connection, codeOf(error), socket);
    }
  });
  const plain = new Set<BotConnection>();
  const multiplexed = new Set<H2BotConnection>();
  const idleSweeps = Math.ceil((IDLE_MS * SWEEPS) / headMs);
  const sweeper = setInterval(() => {
    for (const each of plain) each.sweep(SWEEPS, idleSweeps);
    for (const each of multiplexed) each.sweep(idleSweeps);
  }, headMs / SWEEPS).unref();
  const takeH2 = async (socket: TLSSocket, connection: Connection): Promise<void> => {
    const taken = await serveH2(socket, {
      visit: (visit) => void handleCall(parts(), connection, visit),
      refuse: (code) => {
        recordUnread(parts(), connection, code, undefined);
      },
      closed: (each) => multiplexed.delete(each),
    });
    multiplexed.add(taken);
  };
  return {
    take(socket, connection) {
      socket.on("error", ignore);
      if (socket instanceof TLSSocket && socket.alpnProtocol === "h2") {
        void takeH2(socket, connection);
        return;
      }
      const origin = originKey(connection);
      const taken: BotConnection = new BotConnection(socket, {
        visit: (visit) => void handleCall(parts(), connection, visit),
        quick: (key, body) => quickStart(parts(), connection, origin, key, body),
        handOver: () => {
          adopted.set(socket, { connection, running: 0 });
          server.emit("connection", socket);
        },
        refuse: (code, answerable) => {
          refuseUnread(parts(), connection, code, socket, answerable);
        },
        closed: (each) => plain.delete(each),
      });
      plain.add(taken);
    },
    takeProxied(socket, connection) {
      socket.on("error", ignore);
      adopted.set(socket, { connection, running: 0 });
      server.emit("connection", socket);
    },
    closeIdle() {
      clearInterval(sweeper);
      server.closeIdleConnections();
      for (const each of plain) if (each.idle) each.destroy();
      for (const each of multiplexed) each.close();
    },
  };
}

/** A call that is known from its head, and can be made at once. */
function quickStart(
  parts: BrokerParts,
  connection: Connection,
  origin: string,
  { key, length }: HeadKey,
  body: Buffer,
): QuickStart | undefined {
  const inForce = parts.inForce();
  if (inForce === undefined) return undefined;
  const known = parts.known.find(inForce.deployment, origin, key);
  if (known === undefined || (known.length ?? length) !== body.length) return undefined;
  const prepared = prepareQuickCall(parts, inForce, connection, known, body);
  if (prepared === undefined) return undefined;
  const { head, persistent } = known;
  return {
    head,
    persistent,
    start: (visit) => {
      new QuickCall(prepared, visit).start(body);
    },
  };
}

/** Records what no request could be made of, and answers it unless another answer is under way. */
function refuseUnread(
  parts: BrokerParts,
  connection: Connection | undefined,
  code: RefusalCode,
  socket: Duplex,
  answerable = true,
): void {
  if (connection !== undefined) recordUnread(parts, connection, code, describeRefusal(code).status);
  if (answerable && socket.writable) socket.end(refusedResponseText(code), () => socket.destroy());
  else socket.destroy();
}

function recordUnread(
  parts: BrokerParts,
  { bot, address, port }: Connection,
  code: RefusalCode,
  status: number | undefined,
): void {
  const audit = parts.inForce()?.audit;
  if (audit === undefined) return;
  recordRefusal(audit, { bot, kind: "call", host: `${address}:${port}` }, code, status, Date.now());
}

function ignore(): void {
  // A reset is seen by its `close`.
}

function codeOf(error: NodeJS.ErrnoException): RefusalCode {
  if (error.code === "HPE_HEADER_OVERFLOW") return "header-flood";
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") return "request-slow";
  if (/TRANSFER_ENCODING|CONTENT_LENGTH|CHUNK/.test(error.code ?? "")) return "framing";
  return "malformed-request";
}
