import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import http, { type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { SecretValue } from "../../secrets/SecretValue.ts";
import type { AuditRecord } from "../audit/AuditRecord.ts";
import { Broker, type BrokerSurroundings } from "../Broker.ts";
import type {
  BrokerBot,
  BrokerIngress,
  BrokerConfig,
  BrokerGrant,
  BrokerMint,
} from "../BrokerConfig.ts";
import type { FromBroker } from "../protocol.ts";
import { makeAuthority, type TestAuthority } from "./certificates.ts";
import { tcpHandle } from "./rawHandles.ts";

/** A marker that occurs nowhere else. */
export function canary(prefix: string): string {
  return `${prefix}${randomBytes(18).toString("hex")}`;
}

export interface Reply {
  readonly status: number;
  readonly message: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly trailers: NodeJS.Dict<string>;
  readonly body: string;
}

/**
 * The broker's parts in this process with real sockets all round: listeners on every loopback
 * address (all of 127/8 is local on Linux, as every address is in a bot's namespace), secrets in memory.
 */
/** Test bots all have an ingress. */
export type TestBot = BrokerBot & { readonly ingress: BrokerIngress };

export class TestBroker {
  readonly folder = mkdtempSync(join(tmpdir(), "seawall-broker-"));
  readonly secrets = new Map<string, string>();
  readonly minted: BrokerMint[] = [];
  readonly sent: FromBroker[] = [];
  readonly broker: Broker;
  readonly authority: TestAuthority;
  readonly upstreamAuthority: TestAuthority;
  /** Port of the TCP listener, the same for every host as in a namespace. */
  readonly port: number;
  readonly bots: TestBot[] = [];
  readonly #closers: (() => unknown)[] = [];
  #lastAddress = 1;

  private constructor(
    authority: TestAuthority,
    upstreamAuthority: TestAuthority,
    more: Partial<BrokerSurroundings>,
    port: number,
  ) {
    this.authority = authority;
    this.upstreamAuthority = upstreamAuthority;
    this.port = port;
    const values = new Map<string, SecretValue>();
    this.broker = new Broker({
      send: (message) => this.sent.push(message),
      openStores: () =>
        Promise.resolve({
          // Known at once, as a store that looked within the last second knows it.
          peek: (source) => {
            const key = source.store === "vault" ? source.key : "";
            const value = this.secrets.get(key);
            const there = values.get(key);
            if (value === undefined || there?.revealSecret() === value)
              return value === undefined ? undefined : there;
            const made = new SecretValue(value);
            values.set(key, made);
            return made;
          },
          read: (source) => {
            const value = this.secrets.get(source.store === "vault" ? source.key : "");
            return value === undefined
              ? Promise.reject(new Error("missing"))
              : Promise.resolve(new SecretValue(value));
          },
        }),
      timeouts: { clientHello: 500, connect: 5000, head: 600, mint: 20_000 },
      ...more,
    });
  }

  static async start(more: Partial<BrokerSurroundings> = {}): Promise<TestBroker> {
    const { handle, port } = tcpHandle();
    const made = new TestBroker(
      await makeAuthority("wall"),
      await makeAuthority("outside"),
      more,
      port,
    );
    await made.broker.receive(
      { type: "listener", bot: "basecamp", protocol: "tcp", port, family: 4 },
      handle,
    );
    return made;
  }

  /** A loopback address nobody else has. */
  nextAddress(): string {
    this.#lastAddress += 1;
    return `127.77.${Math.floor(this.#lastAddress / 250)}.${(this.#lastAddress % 250) + 1}`;
  }

  /** A bot with these grants, its certificate covering their hosts. */
  async bot(
    name: string,
    grants: readonly BrokerGrant[],
    ingress?: Partial<BrokerIngress>,
  ): Promise<TestBot> {
    const names = grants.flatMap((grant) => grant.hosts.map((host) => host.name));
    const bot = {
      name,
      grants,
      certificate: await this.authority.issue(names.length === 0 ? ["nobody.test"] : names),
      ingress: { port: await freePort(), token: canary("token"), controlPage: false, ...ingress },
    };
    this.bots.push(bot);
    return bot;
  }

  config(bots: readonly BrokerBot[] = this.bots): BrokerConfig {
    return {
      secrets: [...this.secrets.keys()].map((name) => ({
        name,
        source: { store: "vault", key: name },
      })),
      ...(this.minted.length === 0 ? {} : { minted: this.minted }),
      vault: { file: "unused", identity: "unused" },
      audit: { file: join(this.folder, "audit.jsonl") },
      bots,
    };
  }

  /** Configures and gives the answer. */
  async configure(config: BrokerConfig = this.config()): Promise<FromBroker | undefined> {
    await this.broker.receive({ type: "configure", config });
    return this.sent.at(-1);
  }

  /** An HTTPS server outside; the grants dial it instead of the real name. */
  async upstream(
    names: readonly string[],
    handle: (request: IncomingMessage, response: http.ServerResponse) => void,
    authority: TestAuthority = this.upstreamAuthority,
  ): Promise<{
    readonly port: number;
    readonly requests: IncomingMessage[];
    readonly connections: () => number;
  }> {
    const { chain, key } = await authority.issue(names);
    const requests: IncomingMessage[] = [];
    const inner = http.createServer((request, response) => {
      requests.push(request);
      handle(request, response);
    });
    inner.on("connect", (_request, socket) => socket.destroy());
    let connections = 0;
    const server = tls.createServer({ cert: chain, key, ALPNProtocols: ["http/1.1"] }, (socket) => {
      connections += 1;
      inner.emit("connection", socket);
    });
    server.on("tlsClientError", () => undefined);
    const port = await this.#listen(server);
    return { port, requests, connections: () => connections };
  }

  /** A raw TLS server outside, for what an HTTP server wouldn't send. */
  async rawUpstream(
    names: readonly string[],
    handle: (socket: Socket) => void,
  ): Promise<{ readonly port: number }> {
    const { chain, key } = await this.upstreamAuthority.issue(names);
    const server = tls.createServer({ cert: chain, key, ALPNProtocols: ["http/1.1"] }, (socket) => {
      socket.on("error", () => socket.destroy());
      handle(socket);
    });
    return { port: await this.#listen(server) };
  }

  /** A plain TCP server outside. */
  async plainServer(server: net.Server): Promise<number> {
    return this.#listen(server);
  }

  async #listen(server: net.Server): Promise<number> {
    const sockets = new Set<Socket>();
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.once("close", () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#closers.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return (server.address() as AddressInfo).port;
  }

  /** TLS from inside to an address, as the bot would make it. */
  connect(
    address: string,
    serverName: string | undefined,
    options: tls.ConnectionOptions = {},
  ): Promise<tls.TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = tls.connect({
        host: address,
        port: this.port,
        servername: serverName ?? "",
        ca: this.authority.ca,
        ALPNProtocols: ["http/1.1"],
        ...(serverName === undefined ? { checkServerIdentity: () => undefined } : {}),
        ...options,
      });
      socket.once("secureConnect", () => {
        socket.off("error", reject);
        socket.on("error", () => undefined);
        resolve(socket);
      });
      socket.once("error", reject);
    });
  }

  /** One request from inside over a connection of its own. */
  async request(
    host: { readonly name: string; readonly address: string },
    options: {
      readonly method?: string;
      readonly path: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Buffer;
    },
  ): Promise<Reply> {
    const socket = await this.connect(host.address, host.name);
    const { method = "GET", path, headers = {}, body } = options;
    return new Promise((resolve, reject) => {
      const request = http.request(
        {
          createConnection: () => socket,
          method,
          path,
          headers: { host: `${host.name}:${this.port}`, ...headers },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            socket.destroy();
            resolve({
              status: response.statusCode ?? 0,
              message: response.statusMessage ?? "",
              headers: response.headers,
              rawHeaders: response.rawHeaders,
              trailers: response.trailers,
              body: Buffer.concat(chunks).toString(),
            });
          });
        },
      );
      request.on("error", reject);
      request.end(body);
    });
  }

  /** Sends bytes over TLS as they are and gives everything that came back until the end. */
  async raw(
    host: { readonly name: string; readonly address: string },
    bytes: string,
  ): Promise<string> {
    const socket = await this.connect(host.address, host.name);
    const got = collect(socket);
    socket.write(bytes, "latin1");
    return got;
  }

  /** The audit file's records. */
  records(): AuditRecord[] {
    const text = readFileSync(join(this.folder, "audit.jsonl"), "utf8");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as AuditRecord);
  }

  /** Waits for a record that fits; the file is read again each time something may have been written. */
  async record(fits: (record: AuditRecord) => boolean): Promise<AuditRecord> {
    const until = Date.now() + 10_000;
    for (;;) {
      const found = this.records().find(fits);
      if (found !== undefined) return found;
      if (Date.now() > until)
        throw new Error(`no such record in ${JSON.stringify(this.records())}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Everything the broker has written or said: to be searched for canaries. */
  everything(): string {
    const files = readdirSync(this.folder).map((name) =>
      readFileSync(join(this.folder, name), "latin1"),
    );
    return [...files, JSON.stringify(this.sent)].join("\n");
  }

  async end(): Promise<void> {
    await this.broker.receive({ type: "stop", graceMs: 0 });
    for (const close of this.#closers) close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** All a socket gives until it ends or is cut. */
export function collect(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.once("close", () => {
      resolve(text);
    });
    socket.once("end", () => socket.end());
  });
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
