import { chmodSync } from "node:fs";
import dgram from "node:dgram";
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import net, { type AddressInfo, type Socket } from "node:net";
import type { Leaf } from "../../authority/index.ts";
import type { Witness } from "./Witness.ts";

/** Servers of ours; all that comes is shown to the witness. */
export interface StandIns {
  /** A service that says hello with a marker, on every address it can have. */
  readonly tcp: number;
  readonly tcp6: number | undefined;
  readonly udp: number;
  close(): Promise<void>;
}

/** Starts them on free ports of the loopback, and on Unix sockets that everybody may connect to. */
export async function startStandIns(
  witness: Witness,
  marker: string,
  unixSockets: readonly string[],
): Promise<StandIns> {
  const closers: (() => Promise<void>)[] = [];
  const serve = async (listen: net.ListenOptions, name: string): Promise<net.Server> => {
    const server = net.createServer((socket) => greet(socket, name, witness, marker));
    closers.push(() => closeServer(server, []));
    server.listen(listen);
    await once(server, "listening");
    return server;
  };
  const portOf = (server: net.Server): number => (server.address() as AddressInfo).port;
  const tcp = await serve({ host: "127.0.0.1", port: 0 }, "the host's loopback");
  const tcp6 = await serve({ host: "::1", port: 0 }, "the host's loopback").catch(() => undefined);
  for (const path of unixSockets) {
    await serve({ path: path.replace(/^@/, "\0") }, path);
    if (!path.startsWith("@")) chmodSync(path, 0o777);
  }
  const udp = dgram.createSocket("udp4");
  udp.on("message", (message, { address, port }) => {
    witness.look(message.toString("latin1"), "the host's loopback over UDP");
    udp.send(marker, port, address);
  });
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  return {
    tcp: portOf(tcp),
    tcp6: tcp6 === undefined ? undefined : portOf(tcp6),
    udp: udp.address().port,
    close: async () => {
      udp.close();
      await Promise.all(closers.map((close) => close()));
    },
  };
}

function greet(socket: Socket, name: string, witness: Witness, marker: string): void {
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    witness.look(chunk.toString("latin1"), name);
    socket.end(`${marker}\n`);
  });
}

/** The services behind a bot's grants, all in one: it shows back whatever it was sent. */
export interface Services {
  readonly https: number;
  readonly http: number;
  readonly tcp: number;
  close(): Promise<void>;
}

export async function startServices(leaf: Leaf, witness: Witness): Promise<Services> {
  const sockets = new Set<Socket>();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    witness.look(`${request.url}\n${request.rawHeaders.join("\n")}`, "the service behind a grant");
    request.resume();
    const body = JSON.stringify({ seen: request.headers, encoded: encodings(request) });
    response.writeHead(200, { "content-type": "application/json", "x-seen": oneOf(request) });
    response.end(body);
  };
  const upgrade = (request: IncomingMessage, socket: NodeJS.WritableStream): void => {
    witness.look(`${request.url}\n${request.rawHeaders.join("\n")}`, "the service behind a grant");
    socket.end("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n");
  };
  const servers = [
    https.createServer({ cert: leaf.chain, key: leaf.key }, answer),
    http.createServer(answer),
    net.createServer((socket) => {
      socket.on("data", (chunk) => witness.look(chunk.toString("latin1"), "a tunnel's end"));
    }),
  ] as const;
  for (const server of servers) {
    server.on("upgrade", upgrade);
    server.on("connect", upgrade);
    for (const event of ["connection", "secureConnection"])
      server.on(event, (socket: Socket) => {
        sockets.add(socket);
        socket.on("error", () => socket.destroy());
        socket.once("close", () => sockets.delete(socket));
      });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  const [secure, plain, tcp] = servers.map((server) => (server.address() as AddressInfo).port);
  return {
    https: secure ?? 0,
    http: plain ?? 0,
    tcp: tcp ?? 0,
    close: async () => {
      await Promise.all(servers.map((server) => closeServer(server, sockets)));
    },
  };
}

/** Whatever the request carried, in the ways a service might say it again. */
function encodings({ url = "", headers }: IncomingMessage): object {
  const text = [url, ...Object.values(headers).map(String)].join("\n");
  return {
    base64: Buffer.from(text).toString("base64"),
    urlSafe: Buffer.from(`x${text}`).toString("base64url"),
    hex: Buffer.from(text).toString("hex"),
    percent: [...Buffer.from(text)]
      .map((byte) => `%${byte.toString(16).padStart(2, "0")}`)
      .join(""),
  };
}

/** The longest header, back in a header. */
function oneOf({ headers, url = "" }: IncomingMessage): string {
  const values = [url, ...Object.values(headers).map(String)];
  return values.toSorted((one, other) => other.length - one.length)[0] ?? "";
}

async function closeServer(server: net.Server, sockets: Iterable<Socket>): Promise<void> {
  const closed = once(server, "close");
  server.close();
  for (const socket of sockets) socket.destroy();
  await closed;
}
