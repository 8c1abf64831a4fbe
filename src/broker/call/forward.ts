import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { AuditEnd } from "../audit/AuditRecord.ts";
import type { Granted } from "../Deployment.ts";
import type { Admission } from "../gate/Gate.ts";
import { nameFailure } from "../dial/nameFailure.ts";
import type { UpstreamPools } from "../dial/UpstreamPools.ts";
import { withoutHopByHop, type Outgoing } from "../inject/inject.ts";
import { pairHeaders, valuesOf, type Call, type Header } from "../match.ts";
import { BodyScanner } from "../redact/BodyScanner.ts";
import { decodeBody } from "../redact/decodeBody.ts";
import type { Redactor } from "../redact/Redactor.ts";
import { isRefusal, refuse, type RefusalCode } from "../Refusal.ts";
import { replyRefused } from "./replyRefused.ts";
import { writeAll } from "./writeAll.ts";

/** All that one exchange needs. */
export interface Exchange {
  readonly call: Call;
  readonly granted: Granted;
  readonly outgoing: Outgoing;
  readonly redactor: Redactor;
  /** To be found in request bodies. */
  readonly foreignPhantoms: readonly Buffer[];
  readonly admission: Admission;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly pools: UpstreamPools;
  readonly connectTimeoutMs: number;
}

interface Counts {
  bytesOut: number;
  bytesIn: number;
}

/**
 * Dials, sends, streams the reply back redacted. Both ways stop when either side goes away.
 * Resolves when all is over, with what is to be recorded; rejects only on a bug.
 */
export async function forward(exchange: Exchange): Promise<AuditEnd> {
  const counts: Counts = { bytesOut: 0, bytesIn: 0 };
  const first = await attempt(exchange, counts);
  // The server may close an idle connection in the moment it is used again. Trying once more is safe
  // only where doing it twice is the same as once and nothing of a body is gone (RFC 9112 section 9.3.1).
  const again = first === "stale" ? await attempt(exchange, counts) : first;
  if (again === "stale") return fail(exchange, "upstream-unreachable", counts);
  return again;
}

async function attempt(exchange: Exchange, counts: Counts): Promise<AuditEnd | "stale"> {
  const { call, granted, outgoing, pools, request, response } = exchange;
  let upstream: ClientRequest | undefined;
  try {
    upstream = pools.request(granted, outgoing);
  } catch {
    // Node refuses a header or path that it would have to send malformed.
    return fail(exchange, "upstream-protocol", counts);
  }
  if (upstream === undefined) return fail(exchange, "address-refused", counts);

  const onClientGone = (): void => {
    upstream.destroy();
  };
  response.once("close", onClientGone);
  try {
    const replied = replyOf(upstream, exchange.connectTimeoutMs);
    const sent = sendBody(exchange, upstream, counts);
    const reply = await Promise.race([replied, phantomOr(sent, replied)]);
    if (reply === "phantom") {
      upstream.destroy();
      return fail(exchange, "foreign-phantom-in-body", counts);
    }
    if ("failed" in reply) {
      if (response.destroyed) return aborted(counts);
      const repeatable = call.body === "none" && ["GET", "HEAD", "OPTIONS"].includes(call.method);
      if (repeatable && upstream.reusedSocket && ["ECONNRESET", "EPIPE"].includes(reply.code))
        return "stale";
      return fail(exchange, reply.failed, counts);
    }
    // A phantom may still come later in the body, while the reply is already under way.
    let cut = false;
    const cutWhenFound = async (): Promise<void> => {
      if ((await sent) !== "phantom") return;
      cut = true;
      upstream.destroy();
      response.destroy();
    };
    void cutWhenFound();
    const end = await streamReply(exchange, reply.message, counts);
    if (cut)
      return {
        outcome: "refused",
        code: "foreign-phantom-in-body",
        ...statusOf(reply.message),
        ...counts,
      };
    return end;
  } finally {
    response.off("close", onClientGone);
    if (!request.complete) upstream.destroy();
  }
}

/** What is to be awaited besides the reply: a phantom in the body, which ends the call before there is one. */
async function phantomOr(sent: Promise<Sent>, replied: Promise<Reply>): Promise<"phantom" | Reply> {
  return (await sent) === "phantom" ? "phantom" : replied;
}

type Sent = "sent" | "stopped" | "phantom";
type Reply =
  { readonly message: IncomingMessage } | { readonly failed: RefusalCode; readonly code: string };

/** The reply's head, or why there is none. Interim replies (1xx) are for the broker, which asked for none. */
function replyOf(upstream: ClientRequest, connectTimeoutMs: number): Promise<Reply> {
  return new Promise((resolve) => {
    // Only reaching the host is bounded: a model may think for minutes before its first byte.
    const timer = setTimeout(() => {
      resolve({ failed: "upstream-unreachable", code: "ETIMEDOUT" });
      upstream.destroy();
    }, connectTimeoutMs);
    const reached = (): void => {
      clearTimeout(timer);
    };
    const settle = (reply: Reply): void => {
      reached();
      resolve(reply);
    };
    upstream.once("socket", (socket) => {
      if (!socket.connecting && upstream.reusedSocket) reached();
      else socket.once("encrypted" in socket ? "secureConnect" : "connect", reached);
    });
    upstream.once("response", (message) => {
      // Whoever reads the body meets the error too; without a listener it would be lost before that.
      message.on("error", () => undefined);
      settle({ message });
    });
    upstream.on("error", (error: NodeJS.ErrnoException) => {
      settle({ failed: nameFailure(error), code: error.code ?? "" });
    });
    // A 101 nobody asked for: without a listener Node would cut the connection and say nothing.
    upstream.once("upgrade", (_message, socket) => {
      socket.destroy();
      settle({ failed: "upstream-protocol", code: "" });
    });
    upstream.once("close", () => {
      settle({ failed: "upstream-unreachable", code: "ECONNRESET" });
    });
  });
}

/** Passes the request's body on as it comes. Never rejects. */
async function sendBody(
  { call, outgoing, foreignPhantoms, request }: Exchange,
  upstream: ClientRequest,
  counts: Counts,
): Promise<Sent> {
  if (outgoing.body !== undefined) {
    counts.bytesOut += outgoing.body.length;
    upstream.end(outgoing.body);
    return "sent";
  }
  if (call.body === "none") {
    upstream.end();
    return "sent";
  }
  const scanner = new BodyScanner(foreignPhantoms);
  try {
    // The iterator must not destroy the request: its socket carries the answer.
    for await (const chunk of request.iterator({
      destroyOnReturn: false,
    }) as AsyncIterable<Buffer>) {
      const clean = scanner.push(chunk);
      if (clean === undefined) return "phantom";
      counts.bytesOut += clean.length;
      if (!(await writeAll(upstream, clean))) return "stopped";
    }
  } catch {
    // The client went away in the middle; what was sent must not look finished.
    upstream.destroy();
    return "stopped";
  }
  const rest = scanner.end();
  if (rest === undefined) return "phantom";
  counts.bytesOut += rest.length;
  upstream.end(rest);
  return "sent";
}

/** Streams one reply: head and body redacted, each chunk as it comes. */
async function streamReply(
  exchange: Exchange,
  reply: IncomingMessage,
  counts: Counts,
): Promise<AuditEnd> {
  const { call, redactor, response } = exchange;
  const headers = pairHeaders(reply.rawHeaders);
  const codings = valuesOf(headers, "content-encoding");
  const bodiless = call.method === "HEAD" || reply.statusCode === 204 || reply.statusCode === 304;
  const body = bodiless ? reply : await decodeBody(reply, codings);
  if (isRefusal(body)) {
    reply.destroy();
    return fail(exchange, body.refused, counts);
  }
  const changed = body !== reply || !redactor.keepsLengths;
  const dropped = changed
    ? ["content-length", ...(body === reply ? [] : ["content-encoding"])]
    : [];
  writeHead(response, reply, redactor.headers(withoutHopByHop(headers, dropped)), redactor);
  response.flushHeaders();
  const stop = (): void => {
    reply.destroy();
    body.destroy();
  };
  response.once("close", stop);
  const stream = redactor.stream();
  const watcher = exchange.admission.watch({
    status: reply.statusCode ?? 0,
    type: reply.headers["content-type"] ?? "",
  });
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      const out = stream.push(chunk);
      counts.bytesIn += out.length;
      watcher?.push(out);
      if (!(await writeAll(response, out))) return { ...aborted(counts), ...statusOf(reply) };
    }
  } catch {
    if (response.destroyed) return { ...aborted(counts), ...statusOf(reply) };
    // Cut, not ended: the bot must not take half a reply for a whole one.
    response.destroy();
    return { outcome: "upstream-error", code: "upstream-protocol", ...statusOf(reply), ...counts };
  } finally {
    response.off("close", stop);
  }
  const rest = stream.end();
  counts.bytesIn += rest.length;
  watcher?.push(rest);
  watcher?.end();
  const trailers = redactor.headers(pairHeaders(reply.rawTrailers));
  if (trailers.length > 0 && !response.hasHeader("content-length"))
    response.addTrailers(trailers.map(([name, value]): [string, string] => [name, value]));
  const over = closed(response);
  response.end(rest);
  return {
    ...((await over) ? { outcome: "done" as const, ...counts } : aborted(counts)),
    ...statusOf(reply),
  };
}

function writeHead(
  response: ServerResponse,
  reply: IncomingMessage,
  headers: readonly Header[],
  redactor: Redactor,
): void {
  response.sendDate = false;
  // Anything outside of visible ASCII would make Node refuse the whole head.
  const reason = redactor.text(reply.statusMessage ?? "").replaceAll(/[^\x20-\x7e]/g, "");
  response.writeHead(reply.statusCode ?? 502, reason, headers.flat());
}

/** Whether the last byte was handed to the system (`finish`) before the connection closed. */
function closed(response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    response.once("finish", () => {
      resolve(true);
    });
    response.once("close", () => {
      resolve(response.writableFinished);
    });
    if (response.destroyed) resolve(false);
  });
}

function fail({ request, response }: Exchange, code: RefusalCode, counts: Counts): AuditEnd {
  const status = replyRefused(request, response, refuse(code));
  const outcome = code === "foreign-phantom-in-body" ? "refused" : "upstream-error";
  return { outcome, code, ...(status === undefined ? {} : { status }), ...counts };
}

function aborted(counts: Counts): AuditEnd {
  return { outcome: "client-abort", ...counts };
}

function statusOf(reply: IncomingMessage): { status?: number } {
  return reply.statusCode === undefined ? {} : { status: reply.statusCode };
}
