import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import { SecretValue } from "../../../secrets/SecretValue.ts";
import { compilePhantoms } from "../../redact/BodyScanner.ts";
import { Redactor } from "../../redact/Redactor.ts";
import type { WebSocketPlace } from "../findInMessage.ts";
import { relayWebSocket, type RelayEnd, type WebSocketRelay } from "../relayWebSocket.ts";

export const SECRET = "MTk4NjIyNDgz.REAL01.abcdefghijklmnopqrstuvwxyz";
export const PHANTOM = "MA0123456789.FAKE01.zyxwvutsrqponmlkjihgfedcba";
export const STRANGER = "MA9876543210.OTHER1.aaaaaaaaaabbbbbbbbbbcccccc";

/** As Discord and Mattermost have them. */
export const PLACES: readonly WebSocketPlace[] = [
  { in: "websocket", pointer: "/d/token", where: [{ pointer: "/op", equals: 2 }] },
  { in: "websocket", pointer: "/d/token", where: [{ pointer: "/op", equals: 6 }] },
  {
    in: "websocket",
    pointer: "/data/token",
    where: [{ pointer: "/action", equals: "authentication_challenge" }],
  },
];

/**
 * A relay between real sockets: the bot connects to it, it connects to an upstream. The handshakes
 * are passed on as the broker would, without extensions.
 */
export class TestRelay {
  readonly #servers: http.Server[] = [];
  readonly #sockets = new Set<Duplex>();
  readonly #more: Partial<WebSocketRelay>;
  /** How each connection ended, in the order they were made. */
  readonly ends: Promise<RelayEnd>[] = [];
  /** Headers of the handshakes as the upstream got them. */
  readonly handshakes: http.IncomingHttpHeaders[] = [];
  upstreamPort = 0;
  port = 0;

  private constructor(more: Partial<WebSocketRelay>) {
    this.#more = more;
  }

  /** @param serve what the upstream does with each connection on which the handshake is over. */
  static async start(
    serve: (socket: Duplex, request: http.IncomingMessage) => void,
    more: Partial<WebSocketRelay> = {},
  ): Promise<TestRelay> {
    const test = new TestRelay(more);
    test.upstreamPort = await test.#listen((request, socket) => {
      test.handshakes.push(request.headers);
      serve(socket, request);
    });
    test.port = await test.#listen((request, socket, head) => {
      socket.unshift(head);
      test.ends.push(test.#relay(request, socket));
    });
    return test;
  }

  /** The upstream is the real `ws`, which would compress if it were asked to. */
  static async withServer(
    onConnection: (socket: WebSocket) => void,
    more: Partial<WebSocketRelay> = {},
  ): Promise<TestRelay> {
    const server = new WebSocketServer({ noServer: true, perMessageDeflate: true });
    return TestRelay.start((socket, request) => {
      server.handleUpgrade(request, socket, Buffer.alloc(0), onConnection);
    }, more);
  }

  async #listen(
    onUpgrade: (request: http.IncomingMessage, socket: Duplex, head: Buffer) => void,
  ): Promise<number> {
    const server = http.createServer();
    server.on("upgrade", onUpgrade);
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  async #relay(request: http.IncomingMessage, bot: Duplex): Promise<RelayEnd> {
    const outward = http.request({
      port: this.upstreamPort,
      host: "127.0.0.1",
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": String(request.headers["sec-websocket-key"]),
      },
    });
    outward.end();
    const [reply, upstream, head] = (await once(outward, "upgrade")) as [
      http.IncomingMessage,
      Duplex,
      Buffer,
    ];
    upstream.unshift(head);
    bot.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${String(reply.headers["sec-websocket-accept"])}\r\n\r\n`,
    );
    return relayWebSocket({
      bot,
      upstream,
      places: PLACES,
      phantom: PHANTOM,
      secret: new SecretValue(SECRET),
      redactor: new Redactor(new SecretValue(SECRET), PHANTOM),
      foreignPhantoms: compilePhantoms([STRANGER]),
      ...this.#more,
    });
  }

  /** The bot with the real client, once it is open. */
  async connect(options: ConstructorParameters<typeof WebSocket>[2] = {}): Promise<WebSocket> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.port}/`, options);
    socket.on("error", () => undefined);
    await once(socket, "open");
    return socket;
  }

  /** The bot as bare bytes, the handshake over. */
  async raw(): Promise<Socket> {
    const socket = net.connect(this.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    let text = "";
    while (!text.includes("\r\n\r\n")) {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) await once(socket, "readable");
      else text += chunk.toString("latin1");
    }
    socket.unshift(Buffer.from(text.slice(text.indexOf("\r\n\r\n") + 4), "latin1"));
    return socket;
  }

  /** How the first connection ended. */
  async end(): Promise<RelayEnd> {
    while (this.ends.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const [end] = this.ends;
    if (end === undefined) throw new Error("no connection");
    return end;
  }

  stop(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
