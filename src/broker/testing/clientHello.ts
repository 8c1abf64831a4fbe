import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import tls from "node:tls";

/** What OpenSSL sends first. */
export async function realHello(options: tls.ConnectionOptions): Promise<Buffer> {
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = tls.connect({
    port: (server.address() as AddressInfo).port,
    host: "127.0.0.1",
    ...options,
  });
  client.on("error", () => undefined);
  const [socket] = (await once(server, "connection")) as [Socket];
  socket.on("error", () => undefined);
  const [bytes] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

/** A ClientHello with one more extension at its end. */
export function withExtension(hello: Buffer, type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(data.length, 2);
  const longer = Buffer.concat([hello, head, data]);
  longer.writeUInt16BE(longer.length - 5, 3);
  longer.writeUIntBE(longer.length - 9, 6, 3);
  // The extensions' own length stands after session id, suites and compression.
  let at = 9 + 34;
  at += 1 + (hello[at] ?? 0);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + (hello[at] ?? 0);
  longer.writeUInt16BE(hello.readUInt16BE(at) + 4 + data.length, at);
  return longer;
}
