import type { AuditEnd } from "../audit/AuditRecord.ts";
import type { Granted } from "../Deployment.ts";
import type { Admission } from "../gate/Gate.ts";
import type { UpstreamPools } from "../dial/UpstreamPools.ts";
import {
  UpstreamError,
  type UpstreamExchange,
  type UpstreamReply,
} from "../http/UpstreamExchange.ts";
import type { Visit } from "../http/Visit.ts";
import { withoutHopByHop, type Outgoing } from "../inject/inject.ts";
import { valuesOf, type Call } from "../match.ts";
import { BodyScanner } from "../redact/BodyScanner.ts";
import { decodeBody } from "../redact/decodeBody.ts";
import type { Redactor } from "../redact/Redactor.ts";
import { isRefusal, refuse, type RefusalCode } from "../Refusal.ts";
import { replyRefused } from "./replyRefused.ts";

/** All that one exchange needs. */
export interface Exchange {
  readonly call: Call;
  readonly granted: Granted;
  readonly outgoing: Outgoing;
  readonly redactor: Redactor;
  /** To be found in request bodies. */
  readonly foreignPhantoms: readonly Buffer[];
  readonly admission: Admission;
  readonly visit: Visit;
  readonly pools: UpstreamPools;
  readonly connectTimeoutMs: number;
}

const NOTHING = Buffer.alloc(0);

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
  // The server may close an idle connection in the moment it is used again.
  const again = first === "stale" ? await attempt(exchange, counts) : first;
  if (again === "stale") return fail(exchange, "upstream-unreachable", counts);
  return again;
}

async function attempt(exchange: Exchange, counts: Counts): Promise<AuditEnd | "stale"> {
  const { call, granted, outgoing, pools, visit } = exchange;
  let upstream: UpstreamExchange | undefined;
  try {
    upstream = pools.open(granted, outgoing, exchange.connectTimeoutMs);
  } catch {
    // A header or path that would have to be sent malformed.
    return fail(exchange, "upstream-protocol", counts);
  }
  if (upstream === undefined) return fail(exchange, "address-refused", counts);
  const onGone = (): void => {
    upstream.destroy();
  };
  visit.onGone(onGone);
  try {
    const sent = sendBody(exchange, upstream, counts);
    let reply: UpstreamReply | "phantom";
    try {
      reply = await Promise.race([upstream.reply, phantomOr(sent, upstream.reply)]);
    } catch (error) {
      if (visit.gone) return aborted(counts);
      if (!(error instanceof UpstreamError)) throw error;
      // Trying once more is safe only where doing it twice is the same as once and nothing of a
      // body is gone (RFC 9112 section 9.3.1).
      const repeatable = call.body === "none" && ["GET", "HEAD", "OPTIONS"].includes(call.method);
      return repeatable && error.stale ? "stale" : fail(exchange, error.refused, counts);
    }
    if (reply === "phantom") {
      upstream.destroy();
      return fail(exchange, "foreign-phantom-in-body", counts);
    }
    // A phantom may still come later in the body, while the reply is already under way.
    let cut = false;
    const cutWhenFound = async (): Promise<void> => {
      if ((await sent) !== "phantom") return;
      cut = true;
      upstream.destroy();
      visit.destroy();
    };
    void cutWhenFound();
    const end = await streamReply(exchange, upstream, reply, counts);
    return cut
      ? { outcome: "refused", code: "foreign-phantom-in-body", status: reply.status, ...counts }
      : end;
  } finally {
    visit.offGone(onGone);
    if (!visit.bodyComplete) upstream.destroy();
  }
}

/** What is to be awaited besides the reply: a phantom in the body, which ends the call before there is one. */
async function phantomOr(
  sent: Promise<Sent>,
  replied: Promise<UpstreamReply>,
): Promise<"phantom" | UpstreamReply> {
  return (await sent) === "phantom" ? "phantom" : replied;
}

type Sent = "sent" | "stopped" | "phantom";

/** Passes the request's body on as it comes. Never rejects. */
async function sendBody(
  { call, outgoing, foreignPhantoms, visit }: Exchange,
  upstream: UpstreamExchange,
  counts: Counts,
): Promise<Sent> {
  if (outgoing.body !== undefined) {
    counts.bytesOut += outgoing.body.length;
    upstream.end(outgoing.body, []);
    return "sent";
  }
  if (call.body === "none") {
    upstream.end(NOTHING, []);
    return "sent";
  }
  const scanner = new BodyScanner(foreignPhantoms);
  try {
    for await (const chunk of visit.body) {
      const clean = scanner.push(chunk);
      if (clean === undefined) return "phantom";
      counts.bytesOut += clean.length;
      if (!(await upstream.write(clean))) return "stopped";
    }
  } catch {
    // The client went away in the middle; what was sent must not look finished.
    upstream.destroy();
    return "stopped";
  }
  const rest = scanner.end();
  if (rest === undefined) return "phantom";
  counts.bytesOut += rest.length;
  upstream.end(rest, []);
  return "sent";
}

/** Streams one reply: head and body redacted, each chunk as it comes. */
async function streamReply(
  exchange: Exchange,
  upstream: UpstreamExchange,
  reply: UpstreamReply,
  counts: Counts,
): Promise<AuditEnd> {
  const { call, redactor, visit } = exchange;
  const { status } = reply;
  const bodiless = call.method === "HEAD" || status === 204 || status === 304;
  const body = bodiless
    ? reply.body
    : await decodeBody(reply.body, valuesOf(reply.headers, "content-encoding"));
  if (isRefusal(body)) {
    upstream.destroy();
    return fail(exchange, body.refused, counts);
  }
  const decoded = body !== reply.body;
  const dropped = decoded || !redactor.keepsLengths ? ["content-length"] : [];
  if (decoded) dropped.push("content-encoding");
  const writer = visit.respond({
    status,
    // What isn't visible ASCII can't stand in a status line.
    reason: redactor.text(reply.reason).replaceAll(/[^\x20-\x7e]/g, ""),
    headers: redactor.headers(withoutHopByHop(reply.headers, dropped)),
  });
  writer.flush();
  const stream = redactor.stream();
  const watcher = exchange.admission.watch({
    status,
    type: valuesOf(reply.headers, "content-type")[0] ?? "",
  });
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      const out = stream.push(chunk);
      counts.bytesIn += out.length;
      watcher?.push(out);
      if (!(await writer.write(out))) {
        upstream.destroy();
        return { ...aborted(counts), status };
      }
    }
  } catch {
    if (visit.gone) return { ...aborted(counts), status };
    // Cut, not ended: the bot must not take half a reply for a whole one.
    visit.destroy();
    return { outcome: "upstream-error", code: "upstream-protocol", status, ...counts };
  }
  const rest = stream.end();
  counts.bytesIn += rest.length;
  watcher?.push(rest);
  watcher?.end();
  const finished = await writer.end(rest, redactor.headers(reply.trailers));
  return { ...(finished ? { outcome: "done", ...counts } : aborted(counts)), status };
}

function fail({ visit }: Exchange, code: RefusalCode, counts: Counts): AuditEnd {
  const status = replyRefused(visit, refuse(code));
  const outcome = code === "foreign-phantom-in-body" ? "refused" : "upstream-error";
  return { outcome, code, ...(status === undefined ? {} : { status }), ...counts };
}

function aborted(counts: Counts): AuditEnd {
  return { outcome: "client-abort", ...counts };
}
