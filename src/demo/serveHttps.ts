import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Leaf } from "../authority/index.ts";

/** A running server on 127.0.0.1. */
export interface HttpsServer {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** Stops it and cuts what is open. */
  close(): Promise<void>;
}

/** A request with its body read whole; stand-ins take nothing large. */
export interface FullRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** Answers one request. What it throws becomes a 500. */
export type Answer = (request: FullRequest, response: ServerResponse) => void | Promise<void>;

/** Takes over a connection that asked for another protocol. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

const BODY_LIMIT = 32 * 1024 * 1024;

/** Serves HTTPS on a free port of 127.0.0.1. Without `upgrade` a request to upgrade is an ordinary one. */
export async function serveHttps(
  leaf: Leaf,
  answer: Answer,
  upgrade?: Upgrade,
): Promise<HttpsServer> {
  const server = createServer({ cert: leaf.chain, key: leaf.key }, (request, response) => {
    readBody(request)
      .then((body) => {
        const url = new URL(request.url ?? "/", "https://stand-in.invalid");
        return answer(
          { method: request.method ?? "", url, headers: request.headers, body },
          response,
        );
      })
      .catch(() => {
        if (response.headersSent) response.destroy();
        else sendJson(response, 500, { error: "stand-in" });
      });
  });
  const taken = new Set<Duplex>();
  if (upgrade !== undefined) {
    server.on("upgrade", (request, socket, head) => {
      taken.add(socket);
      socket.once("close", () => taken.delete(socket));
      upgrade(request, socket, head);
    });
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      // No longer the server's to close.
      for (const socket of taken) socket.destroy();
      await closed;
    },
  };
}

/** Sends a whole JSON reply. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > BODY_LIMIT) throw new RangeError("request too large");
    parts.push(part);
  }
  return Buffer.concat(parts);
}
