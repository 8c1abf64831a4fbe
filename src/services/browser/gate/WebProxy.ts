import http, {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import https from "node:https";
import { Server, type Socket } from "node:net";
import { createSecureContext, TLSSocket, type SecureContext } from "node:tls";
import type { Resolve } from "../../../broker/index.ts";
import type { Call } from "./Call.ts";
import { checkTarget, type WebTarget } from "./checkTarget.ts";
import { ACCEPTED_CODINGS, decoderFor, throughStages } from "./decodeBody.ts";
import { failureOf } from "./failureOf.ts";
import { checkLiteral, pinnedLookup } from "./pinnedLookup.ts";
import { describeWebRefusal, isOutsideFailure, type WebRefusalCode } from "./WebRefusal.ts";

/** Says to the program inside that an answer is the gate's; one from outside never arrives. */
export const REFUSED_HEADER = "x-seawall-refused";

const MOST_HEADER_BYTES = 64 * 1024;
const MOST_CONNECTIONS = 256;
const CONNECT_MS = 15_000;
const IDLE_MS = 30_000;

/** Of one connection only (RFC 9110 section 7.6.1), or the gate's own business. */
const NOT_FORWARDED = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "proxy-authenticate",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
  "accept-encoding",
]);
/** The same of replies. `alt-svc` would only make the browser try ways that there are not. */
const NOT_RETURNED = new Set([...NOT_FORWARDED, "content-encoding", "alt-svc", REFUSED_HEADER]);

export interface WebProxyOptions {
  readonly certificate: { readonly chain: string; readonly key: string };
  readonly resolve: Resolve;
  /** The running call whose own address of the proxy this is. */
  readonly callAt: (address: string) => Call | undefined;
  readonly networks: readonly string[];
  readonly ca: string | undefined;
}

/**
 * The only network that one bot's browser has: an explicit proxy that opens every connection, so that
 * each single request is looked at here, outside of the browser's wall, whatever the browser thinks of
 * it: scheme, host, port and method, size and number, and at last the address that is dialled.
 */
export class WebProxy {
  readonly #options: WebProxyOptions;
  readonly #context: SecureContext;
  readonly #plain: http.Server;
  readonly #opened: http.Server;
  readonly #agents: { readonly http: http.Agent; readonly https: https.Agent };
  readonly #sockets = new Set<Socket>();
  /** Host and port of a CONNECT, by the connection that it became. */
  readonly #tunnels = new WeakMap<object, { readonly authority: string; readonly call: Call }>();

  constructor(options: WebProxyOptions) {
    this.#options = options;
    const { chain, key } = options.certificate;
    this.#context = createSecureContext({ cert: chain, key, minVersion: "TLSv1.2" });
    const settings = { maxHeaderSize: MOST_HEADER_BYTES };
    this.#plain = http.createServer(settings, (request, response) => {
      const call = this.#callOf(request.socket);
      if (call === undefined) request.socket.destroy();
      else void this.#handle(call, request.url ?? "", request, response);
    });
    this.#opened = http.createServer(settings, (request, response) => {
      const tunnel = this.#tunnels.get(request.socket);
      if (tunnel === undefined || request.url?.startsWith("/") !== true) request.socket.destroy();
      else
        void this.#handle(
          tunnel.call,
          `https://${tunnel.authority}${request.url}`,
          request,
          response,
        );
    });
    for (const server of [this.#plain, this.#opened]) {
      server.on("clientError", (_error, socket) => socket.destroy());
      server.on("upgrade", (request: IncomingMessage, socket: Socket) => {
        const call = this.#callOf(socket) ?? this.#tunnels.get(socket)?.call;
        const host = request.headers.host ?? "";
        call?.refuse(`ws://${host}${request.url ?? ""}`.slice(0, 2000), "upgrade-refused");
        socket.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      });
    }
    this.#plain.on("connect", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#open(request, socket, head);
    });
    const { networks, ca } = options;
    const agent = {
      keepAlive: true,
      maxSockets: 12,
      maxTotalSockets: 96,
      timeout: IDLE_MS,
      lookup: pinnedLookup(networks, options.resolve),
    };
    this.#agents = {
      http: new http.Agent(agent),
      https: new https.Agent({
        ...agent,
        minVersion: "TLSv1.2",
        ...(ca === undefined ? {} : { ca }),
      }),
    };
  }

  /** Serves a connection that came from the browser's network. */
  accept(socket: Socket): void {
    socket.on("error", () => undefined);
    if (this.#callOf(socket) === undefined || this.#sockets.size >= MOST_CONNECTIONS) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    this.#plain.emit("connection", socket);
  }

  /** Cuts everything. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #callOf(socket: Socket): Call | undefined {
    return this.#options.callAt(socket.localAddress ?? "");
  }

  /**
   * CONNECT always succeeds: what is inside is opened and looked at like all else, so that a refusal
   * comes with its reason. What isn't TLS (a WebSocket without it) ends there.
   */
  #open(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const call = this.#callOf(socket);
    const authority = request.url ?? "";
    if (call === undefined || !/^[A-Za-z0-9._:[\]-]{1,300}$/.test(authority)) {
      socket.destroy();
      return;
    }
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (head.length > 0) socket.unshift(head);
    const opened = new TLSSocket(socket, {
      isServer: true,
      secureContext: this.#context,
      ALPNProtocols: ["http/1.1"],
    });
    opened.on("error", () => {
      call.refuse(`https://${authority}/`, "upgrade-refused");
      opened.destroy();
      socket.destroy();
    });
    this.#tunnels.set(opened, { authority, call });
    opened.once("secure", () => this.#opened.emit("connection", opened));
  }

  async #handle(
    call: Call,
    address: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    const refuse = (code: WebRefusalCode): void => {
      call.refuse(normal(address), code);
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const text = `${describeWebRefusal(code)}\n`;
      response.writeHead(isOutsideFailure(code) ? 502 : 403, {
        "content-type": "text/plain",
        "content-length": Buffer.byteLength(text),
        "cache-control": "no-store",
        connection: "close",
        [REFUSED_HEADER]: code,
      });
      response.end(text);
    };
    if (call.over.aborted) {
      refuse("call-over");
      return;
    }
    const target = checkTarget(address, call.rules);
    const bad = typeof target === "string" ? target : checkRequest(request);
    if (bad !== undefined || typeof target === "string") {
      refuse(bad ?? "bad-url");
      return;
    }
    if (!call.countRequest()) {
      refuse("too-many-requests");
      return;
    }
    try {
      await checkLiteral(target.host, this.#options.networks);
      await this.#forward(call, target, request, response, refuse);
    } catch (error) {
      // Whoever has hung up wasn't refused anything.
      if (!response.closed) refuse(call.over.aborted ? "call-over" : failureOf(error));
    }
  }

  async #forward(
    call: Call,
    target: WebTarget,
    request: IncomingMessage,
    response: ServerResponse,
    refuse: (code: WebRefusalCode) => void,
  ): Promise<void> {
    const reply = await this.#ask(call, target, request, response);
    const stages = decoderFor(reply.headers["content-encoding"] ?? "");
    if (stages === undefined) {
      reply.destroy();
      refuse("upstream-protocol");
      return;
    }
    const declared = Number(reply.headers["content-length"] ?? 0);
    if (stages.length === 0 && call.bytes + declared > call.rules.bytes) {
      reply.destroy();
      refuse("too-large");
      return;
    }
    const { statusCode = 502 } = reply;
    response.writeHead(statusCode, returned(reply));
    if (request.method === "HEAD" || statusCode === 204 || statusCode === 304) {
      reply.resume();
      response.end();
      return;
    }
    const body = throughStages(reply, stages);
    response.once("close", () => reply.destroy());
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (!call.countBytes(chunk.length)) {
        reply.destroy();
        refuse("too-large");
        return;
      }
      if (response.destroyed) return;
      if (!response.write(chunk)) await drained(response);
    }
    response.end();
  }

  #ask(
    call: Call,
    { url, secure, host, port }: WebTarget,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing = (secure ? https : http).request({
      agent: secure ? this.#agents.https : this.#agents.http,
      host,
      port,
      method: request.method,
      path: url.pathname + url.search,
      headers: forwarded(request, url.host),
      signal: call.over,
      timeout: CONNECT_MS,
      maxHeaderSize: MOST_HEADER_BYTES,
      setHost: false,
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("the host took too long")));
    outgoing.on("response", resolve);
    // A host that changes to another protocol without being asked for one.
    outgoing.on("upgrade", (_reply, socket) => {
      socket.destroy();
      reject(Object.assign(new Error("another protocol"), { code: "ERR_HTTP_UPGRADE" }));
    });
    outgoing.on("error", reject);
    response.once("close", () => {
      if (!response.writableFinished) outgoing.destroy();
    });
    outgoing.end();
    return promise;
  }
}

/** Hands every connection of a raw handle to `accept`. The handle is the server's from then on. */
export function serveHandle(handle: object, accept: (socket: Socket) => void): Server {
  const server = new Server({ noDelay: true }, accept);
  server.on("error", () => undefined);
  server.listen(handle);
  return server;
}

function checkRequest(request: IncomingMessage): WebRefusalCode | undefined {
  const { method, headers } = request;
  if (method !== "GET" && method !== "HEAD") return "method-refused";
  const length = headers["content-length"];
  if ((length !== undefined && length !== "0") || headers["transfer-encoding"] !== undefined)
    return "method-refused";
  return headers.upgrade === undefined ? undefined : "upgrade-refused";
}

function forwarded(request: IncomingMessage, host: string): OutgoingHttpHeaders {
  const headers: Record<string, string[]> = {};
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = (request.rawHeaders[at] ?? "").toLowerCase();
    if (NOT_FORWARDED.has(name) || name === "host") continue;
    (headers[name] ??= []).push(request.rawHeaders[at + 1] ?? "");
  }
  return { ...headers, host, "accept-encoding": ACCEPTED_CODINGS };
}

function returned(reply: IncomingMessage): OutgoingHttpHeaders {
  const headers: Record<string, string[]> = {};
  for (let at = 0; at < reply.rawHeaders.length; at += 2) {
    const name = (reply.rawHeaders[at] ?? "").toLowerCase();
    if (!NOT_RETURNED.has(name)) (headers[name] ??= []).push(reply.rawHeaders[at + 1] ?? "");
  }
  return headers;
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}

/** As the program inside names it, which is as the browser does. */
function normal(address: string): string {
  return URL.canParse(address) ? new URL(address).href : address;
}
