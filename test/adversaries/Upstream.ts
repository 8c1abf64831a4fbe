import { createHash } from "node:crypto";
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import tls, { type SecureContext } from "node:tls";
import type { UpstreamScript } from "./Case.ts";
import { RequestReader, type SeenRequest } from "./readRequests.ts";
import { fill, type Words } from "./words.ts";

/** One connection that the target made to the server. */
export interface SeenConnection {
  /** All bytes it sent, up to 4 MB of them. */
  raw: Buffer;
  bytes: number;
  readonly reader: RequestReader;
  closed: boolean;
}

export interface Certificate {
  readonly chain: string;
  readonly key: string;
}

/** The certificates of the stand-in: a good one, and those that nobody must trust. */
export type Certificates = Readonly<
  Record<"good" | NonNullable<UpstreamScript["certificate"]>, Certificate>
>;

const MOST_KEPT = 4 << 20;
/** Requests the runner makes itself, to see that the target still works. */
export const CONTROL = "/v1/models/control-";

/**
 * The server behind the target: records every byte, reads requests in the strictest way, and
 * answers them plainly or as the case's script says. One case at a time.
 */
export class Upstream {
  readonly port: number;
  readonly #server: net.Server;
  readonly #contexts: ReadonlyMap<string, SecureContext> | undefined;
  readonly #sockets = new Set<Socket>();
  #connections: SeenConnection[] = [];
  readonly #open = new Set<SeenConnection>();
  #script: UpstreamScript | undefined;
  #words: Words = {};
  #waiting: (() => void)[] = [];

  private constructor(
    server: net.Server,
    contexts: ReadonlyMap<string, SecureContext> | undefined,
  ) {
    this.#server = server;
    this.#contexts = contexts;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket: Socket) => {
      this.#accept(socket);
    });
  }

  /** @param certificates none: it speaks plain HTTP. */
  static async start(port: number, certificates?: Certificates): Promise<Upstream> {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return new Upstream(
      server,
      certificates &&
        new Map([
          ...Object.entries(certificates).map(([kind, made]) => [kind, contextOf(made)] as const),
          ["TLSv1", contextOf(certificates.good, "TLSv1")] as const,
          ["TLSv1.1", contextOf(certificates.good, "TLSv1.1")] as const,
        ]),
    );
  }

  /** From here on what comes belongs to a new case. Connections that are open stay so, unless it is about TLS. */
  begin(script: UpstreamScript | undefined, words: Words): void {
    this.#script = script;
    this.#words = words;
    for (const connection of this.#open) {
      connection.raw = Buffer.alloc(0);
      connection.bytes = 0;
      connection.reader.requests.length = 0;
    }
    this.#connections = [...this.#open];
    const fresh =
      script !== undefined &&
      (script.on === "connect" ||
        script.certificate !== undefined ||
        script.alpn !== undefined ||
        script.version !== undefined);
    if (fresh) this.cut();
  }

  /** No script any more: what the runner asks now is answered plainly. */
  calm(): void {
    const own = this.#script?.on === "connect" || this.#script?.alpn !== undefined;
    this.#script = undefined;
    if (own) this.cut();
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Connections of this case, those that were open before among them. */
  get connections(): readonly SeenConnection[] {
    return this.#connections;
  }

  /** Requests of this case, without the runner's own. */
  requests(): readonly SeenRequest[] {
    return this.#connections
      .flatMap(({ reader }) => reader.requests)
      .filter(({ target }) => !target.startsWith(CONTROL));
  }

  /** Resolves when it holds, looked at whenever something has come; never rejects. */
  async when(holds: () => boolean, gone: Promise<unknown>): Promise<void> {
    const state = { over: false };
    void gone.then(() => {
      state.over = true;
      this.#changed();
    });
    while (!holds() && !state.over)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #accept(raw: Socket): void {
    this.#sockets.add(raw);
    raw.on("error", () => undefined);
    raw.once("close", () => this.#sockets.delete(raw));
    if (this.#contexts === undefined) {
      this.#serve(raw);
      return;
    }
    const context = this.#contexts.get(
      this.#script?.version ?? this.#script?.certificate ?? "good",
    );
    const socket = new tls.TLSSocket(raw, {
      isServer: true,
      ...(context === undefined ? {} : { secureContext: context }),
      ALPNProtocols: [...(this.#script?.alpn ?? ["http/1.1"])],
    });
    socket.on("error", () => raw.destroy());
    socket.once("secure", () => {
      this.#serve(socket);
    });
  }

  #serve(socket: Socket): void {
    const words: Record<string, string> = { ...this.#words };
    const connection: SeenConnection = {
      raw: Buffer.alloc(0),
      bytes: 0,
      closed: false,
      reader: new RequestReader(
        (request) => {
          const key = request.headers.find(([name]) => name === "sec-websocket-key")?.[1] ?? "";
          Object.assign(words, this.#words, { "ws-accept": accept(key), target: request.target });
          this.#answer(socket, connection, request, words, "head");
        },
        (request) => {
          this.#answer(socket, connection, request, words, "request");
        },
      ),
    };
    this.#connections.push(connection);
    this.#open.add(connection);
    socket.on("data", (chunk: Buffer) => {
      connection.bytes += chunk.length;
      if (connection.raw.length < MOST_KEPT)
        connection.raw = Buffer.concat([connection.raw, chunk]);
      connection.reader.push(chunk);
      this.#changed();
    });
    socket.on("error", () => undefined);
    socket.once("end", () => {
      socket.end();
    });
    socket.once("close", () => {
      connection.closed = true;
      this.#open.delete(connection);
      this.#changed();
    });
    if (this.#script?.on === "connect") void play(socket, this.#script, words);
    this.#changed();
  }

  #answer(
    socket: Socket,
    connection: SeenConnection,
    request: SeenRequest,
    words: Words,
    when: "head" | "request",
  ): void {
    const control = request.target.startsWith(CONTROL);
    const script = control ? undefined : this.#script;
    if (script === undefined) {
      if (when === "head") return;
      const body = control ? `control ${request.target}` : `upstream ${request.target}`;
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${request.method === "HEAD" ? "" : body}`,
      );
      return;
    }
    if (script.on === "connect" || (script.on ?? "head") !== when) return;
    const [first] = script.steps;
    if (
      first !== undefined &&
      "send" in first &&
      typeof first.send === "string" &&
      first.send.startsWith("HTTP/1.1 101")
    )
      connection.reader.raw = true;
    void play(socket, script, words);
  }
}

function contextOf({ chain, key }: Certificate, only?: "TLSv1" | "TLSv1.1"): SecureContext {
  return tls.createSecureContext({
    cert: chain,
    key,
    minVersion: only ?? "TLSv1.2",
    maxVersion: only ?? "TLSv1.3",
    ciphers: only === undefined ? "DEFAULT" : "DEFAULT:@SECLEVEL=0",
  });
}

async function play(socket: Socket, script: UpstreamScript, words: Words): Promise<void> {
  const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  for (const step of script.steps) {
    if (socket.destroyed) return;
    if ("until" in step) await gone;
    else if ("send" in step) {
      const bytes = fill(step.send, words);
      for (let turn = 0; turn < (step.times ?? 1) && !socket.destroyed; turn += 1) {
        if (!socket.write(bytes))
          await Promise.race([once(socket, "drain").catch(() => undefined), gone]);
        if (step.everyMs !== undefined) await delay(step.everyMs);
      }
    } else if (step.act === "pause") await Promise.race([delay(step.ms), gone]);
    else if (step.act === "end") socket.end();
    else if (socket instanceof tls.TLSSocket) socket.destroy();
    else socket.resetAndDestroy();
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** RFC 6455 section 4.2.2. */
function accept(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}
