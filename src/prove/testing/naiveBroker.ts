import { chmodSync } from "node:fs";
import dgram from "node:dgram";
import { once } from "node:events";
import http2 from "node:http2";
import net, { type AddressInfo, type Socket } from "node:net";
import tls from "node:tls";
import type { Leaf } from "../../authority/index.ts";

/** The exit code 0, as the last word. */
const DONE = Buffer.from("x\0\0\0\u0001\0", "latin1");

/** Where to find what does everything that the broker must not. */
export interface NaiveBroker {
  readonly port: number;
  readonly proxyPort: number;
}

/**
 * A broker that checks nothing: it ends TLS for any name, takes any request, says yes, and gives
 * back the credential it holds. On port 53 it answers every name. For the throw-away network of the
 * controls.
 *
 * @param commandSocket where it does whatever a client command asks for, for everybody.
 */
export async function startNaiveBroker(
  leaf: Leaf,
  secret: string,
  commandSocket: string,
): Promise<NaiveBroker> {
  const h2 = http2.createServer((_request, response) => response.end(secret));
  const secure = tls.createServer(
    { cert: leaf.chain, key: leaf.key, ALPNProtocols: ["h2", "http/1.1"] },
    (socket) => {
      if (socket.alpnProtocol === "h2") h2.emit("connection", socket);
      else sayYes(socket, secret);
    },
  );
  const proxy = net.createServer((socket) => sayYes(socket, secret));
  for (const server of [secure, proxy]) {
    server.listen(0, "0.0.0.0");
    await once(server, "listening");
    // They go with the process.
    server.unref();
  }
  const commands = net.createServer((socket) => doAsAsked(socket, secret));
  commands.listen(commandSocket);
  await once(commands, "listening");
  chmodSync(commandSocket, 0o777);
  commands.unref();
  const dns = dgram.createSocket("udp4");
  dns.on("message", (question, { address, port }) => dns.send(answerTo(question), port, address));
  dns.bind(53, "127.0.0.1");
  await once(dns, "listening");
  dns.unref();
  const portOf = (server: net.Server): number => (server.address() as AddressInfo).port;
  return { port: portOf(secure), proxyPort: portOf(proxy) };
}

function sayYes(socket: Socket, secret: string): void {
  socket.on("error", () => socket.destroy());
  socket.once("data", (chunk) => {
    const upgraded = /^upgrade: h2c/im.test(chunk.toString("latin1"));
    const status = upgraded ? "101 Switching Protocols" : "200 OK";
    socket.end(`HTTP/1.1 ${status}\r\ncontent-length: ${secret.length}\r\n\r\n${secret}`);
  });
}

/** It is done, whatever is asked: standard output and the exit code 0. */
function doAsAsked(socket: Socket, secret: string): void {
  socket.on("error", () => socket.destroy());
  const length = Buffer.alloc(4);
  length.writeUInt32BE(secret.length);
  socket.once("data", () =>
    socket.end(Buffer.concat([Buffer.from("o"), length, Buffer.from(secret), DONE])),
  );
}

/** An answer with one record, whatever was asked. */
function answerTo(question: Buffer): Buffer {
  const head = Buffer.from(question.subarray(0, 12));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(1, 6);
  const type = question.subarray(question.length - 4, question.length - 2);
  const record = [0xc0, 0x0c, ...type, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1];
  return Buffer.concat([head, question.subarray(12), Buffer.from(record)]);
}
