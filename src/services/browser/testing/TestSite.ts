import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

/** A site on a loopback address of this machine that remembers what it was asked. */
export class TestSite {
  readonly seen: { readonly method: string; readonly url: string; readonly host: string }[] = [];
  readonly upgrades: string[] = [];
  readonly pages = new Map<string, Serve>();
  readonly #server: http.Server | https.Server;

  private constructor(server: http.Server | https.Server) {
    this.#server = server;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      const { method = "", url = "", headers } = request;
      this.seen.push({ method, url, host: headers.host ?? "" });
      response.on("error", () => undefined);
      const serve = this.pages.get(url.split("?")[0] ?? "");
      if (serve === undefined) response.writeHead(404).end();
      else serve(request, response);
    });
    server.on("upgrade", (request: IncomingMessage, socket) => {
      this.upgrades.push(request.url ?? "");
      socket.destroy();
    });
  }

  static async start(
    address = "127.0.0.1",
    tls?: { readonly cert: string; readonly key: string },
  ): Promise<TestSite> {
    const server = tls === undefined ? http.createServer() : https.createServer(tls);
    const site = new TestSite(server);
    server.listen(0, address);
    await once(server, "listening");
    return site;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Serves HTML at a path. */
  html(path: string, body: string, headers: Readonly<Record<string, string>> = {}): void {
    this.pages.set(path, (_request, response) => {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...headers });
      response.end(`<!doctype html><title>${path}</title>${body}`);
    });
  }

  /** What was asked for at a path. */
  asked(path: string): number {
    return this.seen.filter(({ url }) => url.split("?")[0] === path).length;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
