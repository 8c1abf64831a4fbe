import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { BrokerError } from "../BrokerError.ts";

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;

/**
 * Answers `GET /metrics` on 127.0.0.1, or on a socket that was handed over. There is no password: whoever may connect to this machine's loopback
 * may read the numbers; bots can't, their networks being others. The Host must name the loopback, so that no web
 * page reads them by DNS rebinding.
 *
 * @throws BrokerError `port-taken`.
 */
export async function serveMetrics(
  where: number | { readonly fd: number },
  text: () => string,
): Promise<Server> {
  const { createServer } = await import("node:http");
  const server = createServer(
    { headersTimeout: 5000, requestTimeout: 5000, keepAliveTimeout: 5000, maxHeaderSize: 8192 },
    (request, response) => {
      answer(request, response, text);
    },
  );
  server.maxConnections = 16;
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        new BrokerError("port-taken", `the metrics can't be served on ${describe(where)}`, {
          cause,
          hint: "choose another telemetry.metricsPort, or stop what listens there",
        }),
      );
    });
    server.listen(typeof where === "number" ? { port: where, host: "127.0.0.1" } : where, () => {
      server.on("error", () => undefined);
      resolve(server);
    });
  });
}

function describe(where: number | { readonly fd: number }): string {
  return typeof where === "number" ? `127.0.0.1:${where}` : "the socket that was handed over";
}

function answer(request: IncomingMessage, response: ServerResponse, text: () => string): void {
  request.on("error", () => undefined);
  response.on("error", () => undefined);
  const refuse = (status: number): void => {
    response.writeHead(status, { "content-length": 0, connection: "close" }).end();
  };
  if (!LOOPBACK.test(request.headers.host ?? "")) refuse(421);
  else if (request.url !== "/metrics") refuse(404);
  else if (request.method !== "GET") refuse(405);
  else
    response
      .writeHead(200, {
        "content-type": "application/openmetrics-text; version=1.0.0; charset=utf-8",
        "cache-control": "no-store",
      })
      .end(text());
}
