import { createServer, type Socket } from "node:net";
import type { ControlRequest } from "./ServiceConfig.ts";

/** A configuration of a bot with many grants is some hundred kilobytes. */
const LONGEST = 16 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

/**
 * Answers on the control socket: one line of JSON in, one out, then the connection ends. Who may
 * connect is decided by the socket's owner and mode.
 */
export function serveControl(
  descriptor: number,
  answer: (request: ControlRequest) => Promise<object>,
): void {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    serve(socket, answer);
  });
  server.maxConnections = 16;
  server.on("error", () => undefined);
  server.listen({ fd: descriptor });
}

function serve(socket: Socket, answer: (request: ControlRequest) => Promise<object>): void {
  socket.on("error", () => socket.destroy());
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
  const chunks: Buffer[] = [];
  let length = 0;
  const finish = async (): Promise<void> => {
    let reply: object;
    try {
      reply = await answer(JSON.parse(Buffer.concat(chunks).toString("utf8")) as ControlRequest);
    } catch {
      // Never what could not be parsed: it may be a configuration with phantoms in it.
      reply = { ok: false, code: "request", message: "the broker doesn't understand this request" };
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
    } else if (length > LONGEST) socket.destroy();
  };
  socket.on("data", take);
  // One who goes before it has said all.
  socket.on("end", () => {
    if (socket.listeners("data").includes(take)) socket.destroy();
  });
}
