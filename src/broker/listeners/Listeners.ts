import dgram from "node:dgram";
import net, { type Socket } from "node:net";
import type { BrokerParts } from "../call/BrokerParts.ts";
import { serveCommands } from "../command/serveCommands.ts";
import { serveDnsOverTcp, serveDnsOverUdp, type DnsRoom } from "../dns/serveDns.ts";
import type { ToBroker } from "../protocol.ts";
import { acceptConnection } from "./acceptConnection.ts";

type ListenerMessage = Extract<ToBroker, { type: "listener" }>;

/** What a libuv handle that came over the channel has in common. */
export interface RawHandle {
  close(): void;
}

interface Listener {
  close(): void;
  readonly connections: Set<Socket>;
}

/** A bot that opens more than this at once is refused further ones: the broker serves the others too. */
const MOST_CONNECTIONS = 1200;
const DNS_PORT = 53;

/**
 * The sockets made inside bots' namespaces. They may arrive before or after the configuration: until
 * there is one, connections wait in the kernel's backlog and questions in the socket's buffer.
 */
export class Listeners {
  readonly #parts: BrokerParts;
  readonly #listeners = new Map<string, Map<string, Listener>>();
  #waiting: { readonly message: ListenerMessage; readonly handle: RawHandle }[] = [];
  #started = false;

  constructor(parts: BrokerParts) {
    this.#parts = parts;
  }

  /** Takes a socket over. One for the same bot, protocol, port and family as before takes its place. */
  add(message: ListenerMessage, handle: RawHandle): void {
    if (this.#started) this.#open(message, handle);
    else this.#waiting.push({ message, handle });
  }

  /** From now on there is a configuration. */
  start(): void {
    this.#started = true;
    for (const { message, handle } of this.#waiting) this.#open(message, handle);
    this.#waiting = [];
  }

  /** Closes a bot's sockets and cuts its connections. */
  drop(bot: string): void {
    this.#waiting = this.#waiting.filter(({ message, handle }) => {
      if (message.bot === bot) handle.close();
      return message.bot !== bot;
    });
    for (const listener of this.#listeners.get(bot)?.values() ?? []) {
      listener.close();
      for (const socket of listener.connections) socket.destroy();
    }
    this.#listeners.delete(bot);
  }

  /** Accepts nothing more; connections that are there go on. */
  closeAll(): void {
    for (const { handle } of this.#waiting) handle.close();
    this.#waiting = [];
    for (const listeners of this.#listeners.values())
      for (const listener of listeners.values()) listener.close();
  }

  /** Cuts every connection. */
  cutAll(): void {
    for (const bot of this.#listeners.keys()) this.drop(bot);
  }

  #open(message: ListenerMessage, handle: RawHandle): void {
    const { bot } = message;
    const listeners = this.#listeners.get(bot) ?? new Map<string, Listener>();
    this.#listeners.set(bot, listeners);
    const key =
      message.protocol === "unix"
        ? message.protocol
        : `${message.protocol} ${message.port} ${message.family}`;
    const before = listeners.get(key);
    before?.close();
    // Connections of the socket that was replaced are still the bot's, to be cut with it.
    const connections = before?.connections ?? new Set<Socket>();
    listeners.set(key, { close: this.#take(message, handle, connections), connections });
  }

  #take(message: ListenerMessage, handle: RawHandle, connections: Set<Socket>): () => void {
    const { bot } = message;
    switch (message.protocol) {
      case "unix":
        return serveCommands(this.#parts, message, handle, connections);
      case "udp":
        return this.#openUdp(bot, message.family, handle);
      case "tcp":
        return this.#openTcp(bot, message.port, handle, connections);
      default:
        return message satisfies never;
    }
  }

  #openUdp(bot: string, family: 4 | 6, handle: RawHandle): () => void {
    const socket = dgram.createSocket(family === 4 ? "udp4" : "udp6");
    socket.on("error", () => undefined);
    serveDnsOverUdp(socket, this.#dnsRoom(bot));
    // A raw handle that is bound already is what dgram takes in place of a port (lib/dgram.js, measured with Node 24.21).
    (socket.bind as (handle: RawHandle) => dgram.Socket)(handle);
    return once(() => socket.close());
  }

  #openTcp(bot: string, port: number, handle: RawHandle, connections: Set<Socket>): () => void {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      connections.add(socket);
      socket.once("close", () => connections.delete(socket));
      if (port === DNS_PORT) serveDnsOverTcp(socket, this.#dnsRoom(bot));
      else acceptConnection(this.#parts, bot, socket);
    });
    server.maxConnections = MOST_CONNECTIONS;
    server.on("error", () => undefined);
    server.on("drop", (data) => {
      this.#parts.repeats.note(
        { bot, kind: "connect", host: `${data?.localAddress ?? ""}:${port}` },
        { outcome: "refused", code: "too-many-connections" },
      );
    });
    server.listen(handle);
    return once(() => server.close());
  }

  #dnsRoom(bot: string): DnsRoom {
    return {
      names: () => this.#parts.unknown.names(bot),
      ungranted: (name) => {
        this.#parts.repeats.note(
          { bot, kind: "dns", host: printable(name) },
          { outcome: "refused", code: "not-granted" },
        );
      },
    };
  }
}

function once(act: () => unknown): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}

/** A name a bot asked for is the bot's choice of bytes. */
function printable(name: string): string {
  return name.replaceAll(/[^a-z0-9._-]/g, "?").slice(0, 253);
}
