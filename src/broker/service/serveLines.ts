import { createServer, type Server, type Socket } from "node:net";

/** How requests of one line each are taken at one socket. */
export interface LineService {
  /** Bytes of a request; who sends more is hung up on. */
  readonly longest: number;
  /** How long a connection may be silent, the time to answer included. */
  readonly timeoutMs: number;
  readonly mostConnections: number;
  /** Throws for what it doesn't understand. `signal` aborts when the asker has gone. */
  readonly answer: (request: unknown, signal: AbortSignal) => Promise<object>;
}

/**
 * Answers on a listening socket: one line of JSON in, one out, then the connection ends. Who may
 * connect is decided by the socket's owner and mode.
 */
export function serveLines(descriptor: number, service: LineService): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    serve(socket, service);
  });
  server.maxConnections = service.mostConnections;
  server.on("error", () => undefined);
  server.listen({ fd: descriptor });
  return server;
}

function serve(socket: Socket, { longest, timeoutMs, answer }: LineService): void {
  const gone = new AbortController();
  socket.on("error", () => socket.destroy());
  socket.on("close", () => gone.abort());
  socket.setTimeout(timeoutMs, () => socket.destroy());
  const chunks: Buffer[] = [];
  let length = 0;
  const finish = async (): Promise<void> => {
    let reply: object;
    try {
      const request: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      reply = await answer(request, gone.signal);
    } catch {
      // Never what could not be parsed: it may be a configuration with phantoms in it.
      reply = { ok: false, code: "request", message: "this request isn't understood" };
    }
    socket.end(`${JSON.stringify(reply)}\n`);
  };
  const take = (chunk: Buffer): void => {
    const end = chunk.indexOf(0x0a);
    chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
    length += chunk.length;
    if (end >= 0) {
      socket.off("data", take);
      socket.resume();
      void finish();
    } else if (length > longest) socket.destroy();
  };
  socket.on("data", take);
  // One who goes before it has said all has no answer coming; one who goes later doesn't wait for it.
  socket.on("end", () => {
    if (socket.listeners("data").includes(take)) socket.destroy();
    else gone.abort();
  });
}
