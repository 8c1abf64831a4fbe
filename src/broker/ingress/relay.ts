import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { AuditEnd } from "../audit/AuditRecord.ts";
import { refusedResponseText, replyRefused } from "../call/replyRefused.ts";
import { NodeVisit } from "../http/node/NodeVisit.ts";
import { refuse } from "../Refusal.ts";
import { isSite } from "./checkVisit.ts";
import { pairHeaders, readFraming, type Header } from "../match.ts";

const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
]);

/**
 * What a reverse proxy in front would say about the visitor. Nothing in front of the ingress may say
 * it yet, and the gateway treats a direct visitor on its loopback as local only without them.
 */
function isForwarding(name: string): boolean {
  return (
    name === "forwarded" ||
    name === "x-real-ip" ||
    name.startsWith("x-forwarded-") ||
    name.startsWith("tailscale-")
  );
}

/** Passes one HTTP request to the gateway and its reply back, one connection for it alone. */
export function relayRequest(
  gateway: Socket,
  request: IncomingMessage,
  response: ServerResponse,
  site?: string,
): Promise<AuditEnd> {
  return new Promise((resolve) => {
    const headers = visitorHeaders(request, HOP_BY_HOP, site);
    if (readFraming(headersOf(request)) === "chunked")
      headers.push(["Transfer-Encoding", "chunked"]);
    headers.push(["Connection", "close"]);
    const upstream = http.request({
      createConnection: () => gateway,
      method: request.method,
      path: request.url,
      headers: headers.flat(),
    });
    let status: number | undefined;
    let failed = false;
    const end = (outcome: AuditEnd["outcome"], code?: string): void => {
      resolve({
        outcome,
        ...(code === undefined ? {} : { code }),
        ...(status === undefined ? {} : { status }),
        bytesOut: gateway.bytesWritten,
        bytesIn: gateway.bytesRead,
      });
      upstream.destroy();
      gateway.destroy();
    };
    response.once("close", () => {
      if (response.writableFinished) end("done");
      else end(failed ? "upstream-error" : "client-abort");
    });
    upstream.on("error", () => {
      if (failed) return;
      failed = true;
      if (response.headersSent) response.destroy();
      else {
        status = replyRefused(new NodeVisit(request, response), refuse("gateway-unreachable"));
        end("upstream-error", "gateway-unreachable");
      }
    });
    upstream.once("response", (reply) => {
      status = reply.statusCode;
      reply.on("error", () => {
        failed = true;
        response.destroy();
      });
      const pass = pairHeaders(reply.rawHeaders).filter(
        ([name]) => !HOP_BY_HOP.has(name.toLowerCase()),
      );
      response.sendDate = false;
      response.writeHead(
        reply.statusCode ?? 502,
        (reply.statusMessage ?? "").replaceAll(/[^\x20-\x7e]/g, ""),
        pass.flat(),
      );
      response.flushHeaders();
      reply.pipe(response);
    });
    request.pipe(upstream);
  });
}

/**
 * Asks the gateway for a WebSocket and, only if it agrees, joins the two connections: a refused
 * upgrade must not leave the visitor a connection on which nobody looks at the next request.
 */
export function relayWebSocket(
  gateway: Socket,
  request: IncomingMessage,
  visitor: Duplex,
  head: Buffer,
  site?: string,
): Promise<AuditEnd> {
  return new Promise((resolve) => {
    const headers = visitorHeaders(
      request,
      new Set(["proxy-authorization", "proxy-connection"]),
      site,
    );
    const upstream = http.request({
      createConnection: () => gateway,
      method: "GET",
      path: request.url,
      headers: headers.flat(),
    });
    let status: number | undefined;
    let code: string | undefined;
    let joined = false;
    visitor.on("error", () => visitor.destroy());
    gateway.on("error", () => gateway.destroy());
    upstream.on("error", () => {
      if (joined || status !== undefined) return;
      code = "gateway-unreachable";
      visitor.end(refusedResponseText("gateway-unreachable"));
    });
    upstream.once("response", (reply) => {
      status = reply.statusCode;
      const lines = pairHeaders(reply.rawHeaders)
        .filter(
          ([name]) =>
            !HOP_BY_HOP.has(name.toLowerCase()) && name.toLowerCase() !== "content-length",
        )
        .map(([name, value]) => `${name}: ${value}\r\n`);
      visitor.write(
        `HTTP/1.1 ${reply.statusCode} Refused\r\n${lines.join("")}connection: close\r\n\r\n`,
        "latin1",
      );
      reply.on("error", () => visitor.destroy());
      reply.pipe(visitor);
    });
    upstream.once("upgrade", (reply, socket, first) => {
      joined = true;
      status = 101;
      const lines = pairHeaders(reply.rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
      visitor.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`, "latin1");
      visitor.write(first);
      socket.write(head);
      socket.pipe(visitor);
      visitor.pipe(socket);
    });
    let visitorFirst = false;
    visitor.once("close", () => {
      visitorFirst = !gateway.readableEnded;
      gateway.destroy();
    });
    gateway.once("close", () => {
      if (!visitor.writableEnded) visitor.end();
      let outcome: AuditEnd["outcome"] = "done";
      if (code !== undefined) outcome = "upstream-error";
      else if (visitorFirst && !joined) outcome = "client-abort";
      resolve({
        outcome,
        ...(code === undefined ? {} : { code }),
        ...(status === undefined ? {} : { status }),
        bytesOut: gateway.bytesWritten,
        bytesIn: gateway.bytesRead,
      });
    });
    upstream.end();
  });
}

/** The gateway knows no site: who came by one is a visitor of the loopback from here on, as checkVisit allowed. */
function visitorHeaders(
  request: IncomingMessage,
  without: ReadonlySet<string>,
  site: string | undefined,
): Header[] {
  const bySite = isSite(request.headers.host ?? "", site);
  return headersOf(request)
    .filter(([name]) => !without.has(name.toLowerCase()) && !isForwarding(name.toLowerCase()))
    .map(([name, value]): Header => {
      if (bySite && name.toLowerCase() === "host") return [name, "127.0.0.1"];
      if (bySite && name.toLowerCase() === "origin") return [name, "http://127.0.0.1"];
      return [name, value];
    });
}

function headersOf(request: IncomingMessage): Header[] {
  return pairHeaders(request.rawHeaders);
}
