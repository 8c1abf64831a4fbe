/**
 * Server-sent events for the bench: `node streamServer.ts PORT TLSPORT CHAIN KEY`. A call's query says
 * how many chunks come and how many milliseconds apart; 0 is as fast as they are read.
 */
import { readFileSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";

const [port = "0", tlsPort = "0", chain = "", key = ""] = process.argv.slice(2);

const CHUNK = `data: ${JSON.stringify({ type: "content_block_delta", delta: { text: " harbour" } })}\n\n`;

function serve(request: IncomingMessage, response: ServerResponse): void {
  const query = new URL(request.url ?? "/", "http://host").searchParams;
  const chunks = Number(query.get("chunks") ?? 1);
  const every = Number(query.get("every") ?? 0);
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  let sent = 0;
  const next = (): void => {
    while (sent < chunks && !response.destroyed) {
      sent += 1;
      const more = response.write(CHUNK);
      if (every > 0) {
        setTimeout(next, every);
        return;
      }
      // One write at a time, so that chunks aren't joined on their way.
      if (more) setImmediate(next);
      else response.once("drain", next);
      return;
    }
    response.end();
  };
  request.resume();
  next();
}

http.createServer(serve).listen(Number(port), "127.0.0.1", 4096);
https
  .createServer({ cert: readFileSync(chain), key: readFileSync(key) }, serve)
  .listen(Number(tlsPort), "127.0.0.1", 4096);
