import { createHash } from "node:crypto";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import http2, { type ServerHttp2Stream } from "node:http2";
import net, { type AddressInfo, type Socket } from "node:net";
import tls from "node:tls";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { WebSocketServer } from "ws";
import type { TestAuthority } from "../../src/broker/testing/certificates.ts";
import { bodyOf, eventOf, LENGTHS, STREAM_CHUNKS } from "./bodies.ts";
import { idIn, type Ledger } from "./Ledger.ts";

/** How long after a rotation the value before may still come: reading the vault is checked once a second. */
const GRACE_MS = 10_000;

/**
 * The servers behind the broker. Each knows the ledger: a call that no client made, a phantom or a
 * secret that isn't in force is a fault at once.
 */
export class Outside {
  readonly #ledger: Ledger;
  readonly #sockets = new Set<Socket>();
  readonly #servers: net.Server[] = [];
  readonly #values: { readonly value: string; readonly since: number }[] = [];
  ports = { api: 0, tunnel: 0, echo: 0, gateway: 0, closed: 0 };
  ca = "";

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  async start(authority: TestAuthority, names: readonly string[]): Promise<void> {
    this.ca = authority.ca;
    const { chain, key } = await authority.issue(names);
    const sockets = new WebSocketServer({ noServer: true });
    const h1 = http.createServer((request, response) => {
      this.#serve(request, response);
    });
    h1.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#check(request.url ?? "", request.headers["x-api-key"]);
      sockets.handleUpgrade(request, socket, head, (client) => {
        const credential = String(request.headers["x-api-key"]);
        client.on("error", () => undefined);
        client.on("message", (data: Buffer, binary) => {
          client.send(binary ? data : `${data.toString()} your key is ${credential}`, { binary });
        });
      });
    });
    const h2 = http2.createServer({ maxSessionInvalidFrames: 1000 });
    h2.on("stream", (stream, headers) => {
      this.#serveStream(stream, String(headers[":path"]), headers["x-api-key"]);
    });
    h2.on("sessionError", () => undefined);
    const api = tls.createServer(
      { cert: chain, key, ALPNProtocols: ["h2", "http/1.1"] },
      (socket) => {
        socket.on("error", () => undefined);
        if (socket.alpnProtocol === "h2") h2.emit("connection", socket);
        else h1.emit("connection", socket);
      },
    );
    const tunnel = tls.createServer({ cert: chain, key }, (socket) => {
      socket.on("error", () => undefined);
      socket.pipe(socket);
    });
    const echo = net.createServer((socket) => {
      socket.pipe(socket);
    });
    const gateway = http.createServer((request, response) => {
      const id = idIn(request.url ?? "");
      if (id === undefined || !this.#ledger.see(id))
        this.#ledger.fault(`the gateway was asked for ${request.url ?? ""}`);
      response.end(bodyOf(id ?? "", LENGTHS["visit"] ?? 0, "none"));
    });
    const closed = net.createServer();
    this.ports = {
      api: await this.#listen(api),
      tunnel: await this.#listen(tunnel),
      echo: await this.#listen(echo),
      gateway: await this.#listen(gateway),
      closed: await this.#listen(closed),
    };
    closed.close();
  }

  /** The secret's value from now on. */
  rotate(value: string): void {
    this.#values.push({ value, since: Date.now() });
  }

  get values(): readonly string[] {
    return this.#values.map(({ value }) => value);
  }

  /** Ends what the broker keeps open towards outside. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    for (const server of this.#servers) server.close();
  }

  async #listen(server: net.Server): Promise<number> {
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("tlsClientError", () => undefined);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** Notes that a call has come; gives its id and what it came with. */
  #check(path: string, credential: string | string[] | undefined): { id: string; key: string } {
    const key = String(credential);
    const id = idIn(path) ?? "";
    if (!this.#ledger.see(id)) this.#ledger.fault(`a server was asked for ${path}`);
    const now = Date.now();
    const index = this.#values.findIndex(({ value }) => value === key);
    const next = this.#values[index + 1];
    if (index < 0) this.#ledger.fault(`a server got another credential than the secret: ${path}`);
    else if (
      next !== undefined &&
      (this.#ledger.calls.get(id)?.began ?? now) - next.since > GRACE_MS
    )
      this.#ledger.fault(`a server got a secret's old value ${now - next.since} ms after its end`);
    return { id, key };
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "";
    const query = new URLSearchParams(path.split("?")[1] ?? "").get("key");
    const what = /\/([a-z0-9]+)-[0-9a-f]{16}/.exec(path)?.[1] ?? "";
    request.on("error", () => undefined);
    if (what === "early") {
      // The answer before the body was read.
      const { id, key } = this.#check(path, request.headers["x-api-key"]);
      response.end(bodyOf(id, LENGTHS["early"] ?? 0, key));
      request.resume();
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("latin1");
      const carried =
        what === "json"
          ? tokenOf(text)
          : what === "form"
            ? (new URLSearchParams(text).get("token") ?? undefined)
            : (query ?? request.headers["x-api-key"]);
      const { id, key } = this.#check(path, carried);
      const said = request.headers["x-sha256"];
      if (said !== undefined && said !== createHash("sha256").update(text, "latin1").digest("hex"))
        this.#ledger.fault(`a body came changed to a server: ${path}`);
      this.#answer(what, id, key, response, request.socket);
    });
  }

  /** @param socket of the request: a response has none yet while the one before it is being finished. */
  #answer(what: string, id: string, key: string, response: ServerResponse, socket: Socket): void {
    const body = bodyOf(id, LENGTHS[what] ?? 400, key);
    switch (what) {
      case "gzip":
        response.writeHead(200, { "content-encoding": "gzip" });
        response.end(gzipSync(body));
        break;
      case "br":
        response.writeHead(200, { "content-encoding": "br" });
        response.end(brotliCompressSync(body));
        break;
      case "interim":
        socket.write("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n");
        response.end(body);
        break;
      case "stream":
        response.writeHead(200, { "content-type": "text/event-stream" });
        stream(id, key, response);
        break;
      case "slow":
        trickle(body, response);
        break;
      case "reset":
        response.writeHead(200, { "content-length": "100000" });
        response.write(body, () => socket.destroy());
        break;
      case "gone":
        socket.destroy();
        break;
      case "short":
        response.writeHead(200, { "content-length": String(body.length + 50) });
        response.write(body, () => socket.end());
        break;
      case "chunkcut":
        response.writeHead(200, {});
        response.write(body, () => socket.end());
        break;
      case "lie":
        socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 10\r\ncontent-length: 12\r\n\r\n${body}`);
        break;
      case "stall":
        // Never an answer: the client gives up.
        break;
      default:
        response.writeHead(200, { "x-key": key });
        response.end(body);
    }
  }

  #serveStream(stream: ServerHttp2Stream, path: string, credential: unknown): void {
    stream.on("error", () => undefined);
    const what = /\/([a-z0-9]+)-[0-9a-f]{16}/.exec(path)?.[1] ?? "";
    stream.resume();
    stream.on("end", () => {
      if (stream.destroyed) return;
      const { id, key } = this.#check(
        path,
        typeof credential === "string" ? credential : undefined,
      );
      if (what === "reset") {
        stream.respond({ ":status": 200 });
        stream.write(bodyOf(id, 400, key), () => {
          stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
        });
        return;
      }
      stream.respond({ ":status": 200 });
      stream.end(bodyOf(id, LENGTHS[what] ?? 400, key));
    });
  }
}

function tokenOf(text: string): string | undefined {
  try {
    const value = (JSON.parse(text) as { auth?: { token?: unknown } }).auth?.token;
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

function stream(id: string, key: string, response: ServerResponse): void {
  let index = 0;
  const timer = setInterval(() => {
    if (response.destroyed) clearInterval(timer);
    else if (index === STREAM_CHUNKS) {
      clearInterval(timer);
      response.end();
    } else response.write(eventOf(id, (index += 1), key));
  }, 20);
}

/** A few bytes at a time, so that what is to be found is cut anywhere. */
function trickle(body: string, response: ServerResponse): void {
  let at = 0;
  const timer = setInterval(() => {
    if (response.destroyed || at >= body.length) {
      clearInterval(timer);
      response.end();
      return;
    }
    response.write(body.slice(at, at + 37));
    at += 37;
  }, 4);
}
