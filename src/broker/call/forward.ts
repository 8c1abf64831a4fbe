import type { AuditEnd } from "../audit/AuditRecord.ts";
import {
  UpstreamError,
  type UpstreamExchange,
  type UpstreamReply,
} from "../http/UpstreamExchange.ts";
import { valuesOf } from "../match.ts";
import type { RefusalCode } from "../Refusal.ts";
import {
  aborted,
  fail,
  failureOf,
  isReplayable,
  type Counts,
  type Exchange,
  type Renewed,
} from "./Exchange.ts";
import { sendAtOnce, sendBody, type Sent } from "./sendBody.ts";
import { streamReply } from "./streamReply.ts";

/**
 * Dials, sends, streams the reply back redacted. Both ways stop when either side goes away.
 * Resolves when all is over, with what is to be recorded; rejects only on a bug.
 */
export async function forward(exchange: Exchange): Promise<AuditEnd> {
  const counts: Counts = { bytesOut: 0, bytesIn: 0 };
  const times: Times = {};
  const first = await attemptTwice(exchange, counts, times);
  if (!("outgoing" in first)) return { ...first, ...times };
  const { renew: _spent, ...rest } = exchange;
  const again = { ...rest, ...first };
  const end = await attemptTwice(again, counts, times);
  return { ...("outgoing" in end ? fail(again, "internal", counts) : end), ...times };
}

/** The server may close an idle connection in the moment it is used again. */
async function attemptTwice(
  exchange: Exchange,
  counts: Counts,
  times: Times,
): Promise<AuditEnd | Renewed> {
  const first = await attempt(exchange, counts, false, times);
  if (first !== "stale") return first;
  const again = await attempt(exchange, counts, true, times);
  return again === "stale" ? fail(exchange, "upstream-unreachable", counts) : again;
}

/** As the record has them. */
type Times = { -readonly [Key in "connectMs" | "firstByteMs"]?: NonNullable<AuditEnd[Key]> };

async function attempt(
  exchange: Exchange,
  counts: Counts,
  fresh: boolean,
  times: Times,
): Promise<AuditEnd | "stale" | Renewed> {
  const { call, granted, outgoing, pools, visit } = exchange;
  let upstream: UpstreamExchange;
  const began = Date.now();
  try {
    const { gone: signal, connectTimeoutMs: timeoutMs } = exchange;
    const h2 = visit.head.version === "2";
    const trailers = h2 && valuesOf(call.headers, "te").includes("trailers");
    const { clientCertificate } = exchange;
    const options = { signal, timeoutMs, fresh, h2, trailers };
    const opened = pools.open(
      granted,
      outgoing,
      clientCertificate === undefined ? options : { ...options, clientCertificate },
    );
    upstream = opened instanceof Promise ? await opened : opened;
    if (opened instanceof Promise && !upstream.reused) times.connectMs = Date.now() - began;
  } catch (error) {
    if (visit.gone) return aborted(counts);
    return fail(exchange, failureOf(error), counts);
  }
  const onGone = (): void => {
    upstream.destroy();
  };
  visit.onGone(onGone);
  try {
    const sent = sendAtOnce(exchange, upstream, counts)
      ? undefined
      : sendBody(exchange, upstream, counts);
    let reply: UpstreamReply | RefusalCode;
    try {
      reply =
        sent === undefined
          ? await upstream.reply
          : await Promise.race([upstream.reply, refusedOr(sent, upstream.reply)]);
    } catch (error) {
      if (visit.gone) return aborted(counts);
      if (!(error instanceof UpstreamError)) throw error;
      // Trying once more is safe only where doing it twice is the same as once and nothing of a
      // body is gone (RFC 9112 section 9.3.1).
      const repeatable = call.body === "none" && ["GET", "HEAD", "OPTIONS"].includes(call.method);
      return repeatable && error.stale ? "stale" : fail(exchange, error.refused, counts);
    }
    if (typeof reply === "string") {
      upstream.destroy();
      return fail(exchange, reply, counts);
    }
    if (reply.status === 401 && exchange.renew !== undefined) {
      const renewing = exchange.renew();
      const renewed = isReplayable(exchange) ? await renewing : undefined;
      if (visit.gone) return aborted(counts);
      if (renewed !== undefined) return renewed;
    }
    times.firstByteMs = Date.now() - began;
    // Something may still come later in the body, while the reply is already under way.
    let cut: RefusalCode | undefined;
    const cutWhenFound = async (): Promise<void> => {
      const how = await sent;
      if (how === undefined || how === "sent" || how === "stopped") return;
      cut = how;
      upstream.destroy();
      visit.destroy();
    };
    if (sent !== undefined) void cutWhenFound();
    const end = await streamReply(exchange, reply, counts);
    return cut === undefined
      ? end
      : { outcome: "refused", code: cut, status: reply.status, ...counts };
  } finally {
    visit.offGone(onGone);
    upstream.destroy();
  }
}

/** What is to be awaited besides the reply: something in the body that ends the call before there is one. */
async function refusedOr(
  sent: Promise<Sent>,
  replied: Promise<UpstreamReply>,
): Promise<RefusalCode | UpstreamReply> {
  const how = await sent;
  return how === "sent" || how === "stopped" ? replied : how;
}
