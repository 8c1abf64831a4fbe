import { once } from "node:events";
import net, { type Socket } from "node:net";
import type { TestServers } from "./TestServers.ts";

/** Takes bytes off a socket as soon as `lengthOf` says how many, above zero, belong together. */
async function take(socket: Socket, lengthOf: (bytes: Buffer) => number): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const length = lengthOf(bytes);
    if (length > 0 && bytes.length >= length) {
      if (bytes.length > length) socket.unshift(bytes.subarray(length));
      return bytes.subarray(0, length);
    }
    const chunk: unknown = socket.read();
    if (Buffer.isBuffer(chunk)) bytes = Buffer.concat([bytes, chunk]);
    else await once(socket, "readable");
  }
}

function join(client: Socket, address: string, port: number): void {
  const server = net.connect(port, address);
  server.on("error", () => client.destroy());
  client.on("close", () => server.destroy());
  client.pipe(server).pipe(client);
}

export interface TestProxy {
  readonly url: string;
  /** What it was asked for: request heads, or SOCKS requests in hexadecimal. */
  readonly asked: readonly string[];
}

/** A proxy for CONNECT. Its answer is `answer`, however it lies; what comes then goes where it was asked to. */
export async function connectProxy(
  servers: TestServers,
  answer: (socket: Socket) => void = (socket) =>
    socket.write("HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n"),
): Promise<TestProxy> {
  const asked: string[] = [];
  const { port } = await servers.handle((socket) => {
    void take(socket, (bytes) => bytes.indexOf("\r\n\r\n") + (bytes.includes("\r\n\r\n") ? 4 : 0))
      .then((bytes) => {
        const head = bytes.toString("latin1");
        asked.push(head);
        answer(socket);
        const [, address = "", to = ""] = /^CONNECT \[?([^\s\]]+)\]?:(\d+) /.exec(head) ?? [];
        join(socket, address, Number(to));
      })
      .catch(() => socket.destroy());
  });
  return { url: `http://127.0.0.1:${port}`, asked };
}

/** A SOCKS 5 proxy; `method` and `answer` are what it says, `slowly` byte by byte. */
export async function socksProxy(
  servers: TestServers,
  says: { readonly method?: Buffer; readonly answer?: Buffer; readonly slowly?: boolean } = {},
): Promise<TestProxy> {
  const asked: string[] = [];
  const write = async (socket: Socket, bytes: Buffer): Promise<void> => {
    if (says.slowly !== true) socket.write(bytes);
    else
      for (const byte of bytes) {
        await new Promise<void>((done) =>
          socket.write(Buffer.from([byte]), () => setImmediate(done)),
        );
      }
  };
  const { port } = await servers.handle((socket) => {
    const serve = async (): Promise<void> => {
      asked.push((await take(socket, () => 3)).toString("hex"));
      await write(socket, says.method ?? Buffer.from([5, 0]));
      const request = await take(socket, (bytes) => (bytes[3] === 4 ? 22 : 10));
      asked.push(request.toString("hex"));
      await write(socket, says.answer ?? Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 80]));
      const address = [...request.subarray(4, request.length - 2)];
      join(
        socket,
        address.length === 4 ? address.join(".") : "::1",
        request.readUInt16BE(request.length - 2),
      );
    };
    serve().catch(() => socket.destroy());
  });
  return { url: `socks5://127.0.0.1:${port}`, asked };
}
