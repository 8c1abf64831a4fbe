import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { describeRefusal, type RefusalCode } from "../Refusal.ts";
import { NodeVisit } from "../http/node/NodeVisit.ts";
import type { BrokerParts } from "./BrokerParts.ts";
import { handleCall, recordRefusal, type Connection } from "./handleCall.ts";
import { refusedResponseText } from "./replyRefused.ts";

/** The server and the way to tell it whose connection a socket is, before it gets it. */
export interface CallServer {
  readonly server: Server;
  adopt(socket: Duplex, connection: Connection): void;
}

const MOST_PIPELINED = 16;

interface Adopted {
  readonly connection: Connection;
  running: number;
}

/**
 * The one HTTP server for all bots. It never listens itself: connections are handed to it once they
 * are identified. Limits are said here rather than left to Node's defaults:
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
    keepAliveTimeout: 60_000,
    connectionsCheckingInterval: Math.ceil(headMs / 3),
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
      refuseUnread(parts(), known.connection, "too-many-connections", request.socket);
      request.socket.destroy();
      return;
    }
    known.running += 1;
    response.once("close", () => {
      known.running -= 1;
    });
    void handleCall(parts(), known.connection, new NodeVisit(request, response));
  };
  server.on("request", call);
  // Node answers neither of these itself when there is a listener: `handleCall` does, after its decision.
  server.on("checkContinue", call);
  server.on("checkExpectation", call);
  server.on("connect", (_request: IncomingMessage, socket: Duplex) => {
    refuseUnread(parts(), adopted.get(socket)?.connection, "connect-method", socket);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    const known = adopted.get(socket);
    // In the middle of a call, that call's own record tells of it. A reset between calls is nothing.
    if (
      known === undefined ||
      known.running > 0 ||
      error.code === "ECONNRESET" ||
      error.code === "EPIPE"
    )
      socket.destroy();
    else refuseUnread(parts(), known.connection, codeOf(error), socket);
  });
  return {
    server,
    adopt(socket, connection) {
      adopted.set(socket, { connection, running: 0 });
    },
  };
}

/** Answers and records what Node's parser couldn't make a request of. */
function refuseUnread(
  parts: BrokerParts,
  connection: Connection | undefined,
  code: RefusalCode,
  socket: Duplex,
): void {
  const audit = parts.inForce()?.audit;
  if (audit !== undefined && connection !== undefined) {
    const { bot, address, port } = connection;
    recordRefusal(
      audit,
      { bot, kind: "call", host: `${address}:${port}` },
      code,
      describeRefusal(code).status,
      Date.now(),
    );
  }
  if (socket.writable) socket.end(refusedResponseText(code), () => socket.destroy());
  else socket.destroy();
}

function codeOf(error: NodeJS.ErrnoException): RefusalCode {
  if (error.code === "HPE_HEADER_OVERFLOW") return "header-flood";
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") return "request-slow";
  if (/TRANSFER_ENCODING|CONTENT_LENGTH|CHUNK/.test(error.code ?? "")) return "framing";
  return "malformed-request";
}
