import type { AuditEnd } from "../audit/AuditRecord.ts";
import type { Granted } from "../Deployment.ts";
import type { Admission } from "../gate/Gate.ts";
import { nameFailure } from "../dial/nameFailure.ts";
import type { UpstreamPools } from "../dial/UpstreamPools.ts";
import { iteratorSource } from "../http/iteratorSource.ts";
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
import type { PatternSet } from "../redact/PatternSet.ts";
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
  readonly foreignPhantoms: PatternSet;
  readonly admission: Admission;
  readonly visit: Visit;
  readonly pools: UpstreamPools;
  readonly connectTimeoutMs: number;
  /** Aborts when the bot gives up. */
  readonly gone: AbortSignal;
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
  const first = await attempt(exchange, counts, false);
  // The server may close an idle connection in the moment it is used again.
  const again = first === "stale" ? await attempt(exchange, counts, true) : first;
  if (again === "stale") return fail(exchange, "upstream-unreachable", counts);
  return again;
}

async function attempt(
  exchange: Exchange,
  counts: Counts,
  fresh: boolean,
): Promise<AuditEnd | "stale"> {
  const { call, granted, outgoing, pools, visit } = exchange;
  let upstream: UpstreamExchange;
  try {
    const { gone: signal, connectTimeoutMs: timeoutMs } = exchange;
    const h2 = visit.head.version === "2";
    const trailers = h2 && valuesOf(call.headers, "te").includes("trailers");
    const opened = pools.open(granted, outgoing, { signal, timeoutMs, fresh, h2, trailers });
    upstream = opened instanceof Promise ? await opened : opened;
  } catch (error) {
    if (visit.gone) return aborted(counts);
    return fail(exchange, codeOf(error), counts);
  }
  const onGone = (): void => {
    upstream.destroy();
  };
  visit.onGone(onGone);
  try {
    const sent = sendBody(exchange, upstream, counts);
    let reply: UpstreamReply | "phantom" | "unreadable";
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
    if (reply === "unreadable") return fail(exchange, "body-unreadable", counts);
    if (reply === "phantom") {
      upstream.destroy();
      return fail(exchange, "foreign-phantom-in-body", counts);
    }
    // A phantom may still come later in the body, while the reply is already under way.
    let cut: RefusalCode | undefined;
    const cutWhenFound = async (): Promise<void> => {
      const how = await sent;
      if (how !== "phantom" && how !== "unreadable") return;
      cut = how === "phantom" ? "foreign-phantom-in-body" : "body-unreadable";
      upstream.destroy();
      visit.destroy();
    };
    void cutWhenFound();
    const end = await streamReply(exchange, reply, counts);
    return cut === undefined
      ? end
      : { outcome: "refused", code: cut, status: reply.status, ...counts };
  } finally {
    visit.offGone(onGone);
    upstream.destroy();
  }
}

/** What is to be awaited besides the reply: a phantom in the body, which ends the call before there is one. */
async function phantomOr(
  sent: Promise<Sent>,
  replied: Promise<UpstreamReply>,
): Promise<"phantom" | "unreadable" | UpstreamReply> {
  const how = await sent;
  return how === "phantom" || how === "unreadable" ? how : replied;
}

type Sent = "sent" | "stopped" | "phantom" | "unreadable";

/** Passes the request's body on as it comes, its Content-Encoding undone, as `inject` says it. Never rejects. */
async function sendBody(
  { admission, call, outgoing, foreignPhantoms, visit }: Exchange,
  upstream: UpstreamExchange,
  counts: Counts,
): Promise<Sent> {
  if (outgoing.body !== undefined) {
    counts.bytesOut += outgoing.body.length;
    admission.count(outgoing.body.length);
    upstream.end(outgoing.body, []);
    return "sent";
  }
  if (call.body === "none") {
    upstream.end(NOTHING, []);
    return "sent";
  }
  const scanner = new BodyScanner(foreignPhantoms);
  const codings = valuesOf(call.headers, "content-encoding");
  const plain = codings.length === 0 ? visit.body : await decodeBody(visit.body, codings);
  if (isRefusal(plain)) return "unreadable";
  const body =
    plain === visit.body ? visit.body : iteratorSource(() => plain[Symbol.asyncIterator]());
  try {
    for (;;) {
      const next = body.read();
      if (next instanceof Promise) upstream.flush();
      const chunk = next instanceof Promise ? await next : next;
      if (chunk === null) break;
      const clean = scanner.push(chunk);
      if (clean === undefined) return "phantom";
      counts.bytesOut += clean.length;
      admission.count(clean.length);
      const taken = upstream.write(clean);
      if (!(taken instanceof Promise ? await taken : taken)) return "stopped";
    }
  } catch {
    if (!visit.gone && body !== visit.body) return "unreadable";
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
  reply: UpstreamReply,
  counts: Counts,
): Promise<AuditEnd> {
  const { call, redactor, visit } = exchange;
  const { status } = reply;
  const bodiless = call.method === "HEAD" || status === 204 || status === 304;
  const codings = bodiless ? [] : valuesOf(reply.headers, "content-encoding");
  const plain = codings.length === 0 ? reply.body : await decodeBody(reply.body, codings);
  if (isRefusal(plain)) return fail(exchange, plain.refused, counts);
  const decoded = plain !== reply.body;
  const body = decoded ? iteratorSource(() => plain[Symbol.asyncIterator]()) : reply.body;
  const dropped = decoded || !redactor.keepsLengths ? ["content-length"] : [];
  if (decoded) dropped.push("content-encoding");
  const writer = visit.respond({
    status,
    // What isn't visible ASCII can't stand in a status line.
    reason: redactor.text(reply.reason).replaceAll(/[^\x20-\x7e]/g, ""),
    headers: redactor.headers(withoutHopByHop(reply.headers, dropped)),
  });
  const stream = redactor.stream();
  const watcher = exchange.admission.watch({
    status,
    type: valuesOf(reply.headers, "content-type")[0] ?? "",
  });
  // A chunk is held only while it is known already whether it is the last, so that a short reply is one write.
  let held: Buffer = NOTHING;
  try {
    for (let next = body.read(); ; next = body.read()) {
      if (next instanceof Promise) {
        next.catch(ignore);
        if (held.length === 0) writer.flush();
        else if (!(await writer.write(held))) return { ...aborted(counts), status };
        held = NOTHING;
      } else if (next !== null && held.length > 0) {
        if (!(await writer.write(held))) return { ...aborted(counts), status };
      }
      const chunk = next instanceof Promise ? await next : next;
      if (chunk === null) break;
      held = stream.push(chunk);
      counts.bytesIn += held.length;
      exchange.admission.count(held.length);
      watcher?.push(held);
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
  const last = rest.length === 0 ? held : Buffer.concat([held, rest]);
  const finished = await writer.end(last, redactor.headers(reply.trailers));
  return { ...(finished ? { outcome: "done", ...counts } : aborted(counts)), status };
}

function ignore(): void {
  // Whoever awaits it meets the error; until then it must not count as unhandled.
}

function codeOf(error: unknown): RefusalCode {
  return error instanceof UpstreamError ? error.refused : nameFailure(error);
}

function fail({ visit }: Exchange, code: RefusalCode, counts: Counts): AuditEnd {
  const status = replyRefused(visit, refuse(code));
  const refused = code === "foreign-phantom-in-body" || code === "body-unreadable";
  const outcome = refused ? "refused" : "upstream-error";
  return { outcome, code, ...(status === undefined ? {} : { status }), ...counts };
}

function aborted(counts: Counts): AuditEnd {
  return { outcome: "client-abort", ...counts };
}
