import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { AuditStart } from "../audit/AuditRecord.ts";
import { safePath } from "../audit/safePath.ts";
import { BrokerError } from "../BrokerError.ts";
import type { BrokerParts, InForce } from "../call/BrokerParts.ts";
import { recordRefusal } from "../call/handleCall.ts";
import { refusedResponseText, replyRefused } from "../call/replyRefused.ts";
import { NodeVisit } from "../http/node/NodeVisit.ts";
import type { BrokerIngress } from "../BrokerConfig.ts";
import type { Bot } from "../Deployment.ts";
import { pairHeaders } from "../match.ts";
import { describeRefusal, refuse, type RefusalCode } from "../Refusal.ts";
import { checkVisit } from "./checkVisit.ts";
import { relayRequest, relayWebSocket } from "./relay.ts";
import { SourceLimit } from "./TokenBucket.ts";

const CONNECTIONS = { burst: 100, perSecond: 20 };
const WRONG_TOKENS = { burst: 10, perSecond: 1 / 6 };
const MOST_CONNECTIONS = 256;

/** Connects to a bot's gateway inside its namespace. */
export type DialGateway = (bot: string) => Promise<Socket | undefined>;

/**
 * The way in: a listener on the host's 127.0.0.1 per bot, each visit checked, recorded and relayed
 * to that bot's gateway.
 */
export class Ingress {
  readonly #parts: BrokerParts;
  readonly #dial: DialGateway;
  readonly #socket: (port: number) => number | undefined;
  readonly #servers = new Map<number, http.Server>();
  readonly #sockets = new Map<string, Set<Duplex>>();
  readonly #connections = new SourceLimit(CONNECTIONS);
  readonly #wrongTokens = new SourceLimit(WRONG_TOKENS);

  /** @param socket a descriptor that listens for `port` already, where there is one */
  constructor(
    parts: BrokerParts,
    dial: DialGateway,
    socket: (port: number) => number | undefined = () => undefined,
  ) {
    this.#parts = parts;
    this.#dial = dial;
    this.#socket = socket;
  }

  /**
   * Listens on the ports that have no listener yet.
   *
   * @returns a function that takes this back.
   * @throws BrokerError `port-taken`, with nothing more open than before.
   */
  async open(ports: readonly number[]): Promise<() => void> {
    const opened: number[] = [];
    const undo = (): void => {
      for (const port of opened) this.#close(port);
    };
    for (const port of ports) {
      if (this.#servers.has(port)) continue;
      try {
        this.#servers.set(port, await this.#listen(port));
        opened.push(port);
      } catch (cause) {
        undo();
        throw new BrokerError("port-taken", `the ingress can't listen on 127.0.0.1:${port}`, {
          cause,
          hint: "choose another port for the bot, or stop what listens there",
        });
      }
    }
    return undo;
  }

  /** Closes every listener but these. */
  retain(ports: readonly number[]): void {
    for (const port of this.#servers.keys()) if (!ports.includes(port)) this.#close(port);
  }

  /** Cuts what runs between outside and a bot that has gone. */
  drop(bot: string): void {
    for (const socket of this.#sockets.get(bot) ?? []) socket.destroy();
    this.#sockets.delete(bot);
  }

  cutAll(): void {
    for (const bot of this.#sockets.keys()) this.drop(bot);
    for (const server of this.#servers.values()) server.closeAllConnections();
  }

  #close(port: number): void {
    const server = this.#servers.get(port);
    this.#servers.delete(port);
    server?.close();
    server?.closeIdleConnections();
  }

  #listen(port: number): Promise<http.Server> {
    const tooMany = new WeakSet<Duplex>();
    const server = http.createServer({
      insecureHTTPParser: false,
      requireHostHeader: true,
      maxHeaderSize: 32 * 1024,
      headersTimeout: 15_000,
      requestTimeout: 0,
      keepAliveTimeout: 30_000,
      shouldUpgradeCallback: (request: IncomingMessage) =>
        /^websocket$/i.test(request.headers.upgrade ?? ""),
    });
    server.maxHeadersCount = 0;
    server.maxConnections = MOST_CONNECTIONS;
    server.on("connection", (socket: Socket) => {
      if (!this.#connections.take(socket.remoteAddress ?? "")) tooMany.add(socket);
    });
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      void this.#visit(port, request, tooMany.has(request.socket), {
        refuse: (code) => replyRefused(new NodeVisit(request, response), refuse(code)),
        relay: (gateway) =>
          relayRequest(gateway, request, response, this.#botAt(port)?.ingress.site),
        visitor: request.socket,
        websocket: false,
      });
    });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on("error", () => socket.destroy());
      void this.#visit(port, request, tooMany.has(socket), {
        refuse: (code) => {
          socket.end(refusedResponseText(code));
          return describeRefusal(code).status;
        },
        relay: (gateway) =>
          relayWebSocket(gateway, request, socket, head, this.#botAt(port)?.ingress.site),
        visitor: socket,
        websocket: true,
      });
    });
    const refuseUnread = (code: RefusalCode, socket: Duplex): void => {
      const at = this.#botAt(port);
      if (at !== undefined)
        recordRefusal(
          at.inForce.audit,
          { bot: at.bot.name, kind: "ingress" },
          code,
          describeRefusal(code).status,
          Date.now(),
        );
      if (socket.writable) socket.end(refusedResponseText(code));
      else socket.destroy();
    };
    server.on("connect", (_request, socket: Duplex) => {
      refuseUnread("connect-method", socket);
    });
    const refused = new WeakSet<Duplex>();
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
      if (error.code === "ECONNRESET") {
        socket.destroy();
        return;
      }
      // Node says it again for each piece that still comes, while the answer is on its way.
      if (refused.has(socket)) return;
      refused.add(socket);
      refuseUnread(
        error.code === "HPE_HEADER_OVERFLOW" ? "header-flood" : "malformed-request",
        socket,
      );
    });
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      const fd = this.#socket(port);
      server.listen(fd === undefined ? { port, host: "127.0.0.1" } : { fd }, () => {
        server.off("error", reject);
        server.on("error", () => undefined);
        resolve(server);
      });
    });
  }

  async #visit(port: number, request: IncomingMessage, tooMany: boolean, way: Way): Promise<void> {
    request.on("error", () => undefined);
    const began = Date.now();
    const at = this.#botAt(port);
    if (at === undefined) {
      way.visitor.destroy();
      return;
    }
    const { bot, ingress, inForce } = at;
    const target = request.url ?? "";
    const mark = target.indexOf("?");
    const start: AuditStart = {
      bot: bot.name,
      kind: "ingress",
      method: request.method ?? "",
      path: inForce.deployment.unrecorded.scrub(
        safePath(
          mark < 0 ? target : target.slice(0, mark),
          mark < 0 ? "" : target.slice(mark),
          (text) => inForce.deployment.unrecorded.find(text) !== undefined,
        ),
      ),
      ...(way.websocket ? { rule: "websocket" } : {}),
    };
    const refuseVisit = (code: RefusalCode): void => {
      // Recorded first: a visitor that has its answer has its line.
      recordRefusal(inForce.audit, start, code, describeRefusal(code).status, began);
      way.refuse(code);
    };
    if (tooMany) return refuseVisit("ingress-rate");
    const refused = checkVisit(
      {
        method: request.method ?? "",
        target,
        headers: pairHeaders(request.rawHeaders),
        websocket: way.websocket,
      },
      ingress,
    );
    // Guesses are limited, not visitors without a token; a right token is always served, so that
    // nobody else on this machine can lock its owner out.
    const guess = refused === "ingress-token" && request.headers.authorization !== undefined;
    if (guess && !this.#wrongTokens.take(`${port} ${request.socket.remoteAddress ?? ""}`)) {
      return refuseVisit("ingress-rate");
    }
    if (refused !== undefined) return refuseVisit(refused);

    const open = inForce.audit.begin(start);
    if (open === undefined) return refuseVisit("audit-unwritable");
    try {
      const gateway = await this.#dial(bot.name);
      if (gateway === undefined) {
        const status = way.refuse("gateway-unreachable");
        open.end({
          outcome: "upstream-error",
          code: "gateway-unreachable",
          ...(status === undefined ? {} : { status }),
        });
        return;
      }
      gateway.on("error", () => undefined);
      if (way.visitor.destroyed) {
        gateway.destroy();
        open.end({ outcome: "client-abort" });
        return;
      }
      this.#keep(bot.name, gateway);
      open.end(await way.relay(gateway));
    } catch {
      way.visitor.destroy();
      open.end({ outcome: "internal-error", code: "internal" });
    }
  }

  #botAt(
    port: number,
  ): { readonly bot: Bot; readonly ingress: BrokerIngress; readonly inForce: InForce } | undefined {
    const inForce = this.#parts.inForce();
    for (const bot of inForce?.deployment.bots.values() ?? []) {
      const { ingress } = bot.plan;
      if (inForce !== undefined && ingress?.port === port) return { bot, ingress, inForce };
    }
    return undefined;
  }

  #keep(bot: string, socket: Duplex): void {
    const sockets = this.#sockets.get(bot) ?? new Set<Duplex>();
    this.#sockets.set(bot, sockets);
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  }
}

/** How a visit is refused or relayed: as a request or as a WebSocket. */
interface Way {
  readonly refuse: (code: RefusalCode) => number | undefined;
  readonly relay: (gateway: Socket) => ReturnType<typeof relayRequest>;
  readonly visitor: Duplex;
  readonly websocket: boolean;
}
