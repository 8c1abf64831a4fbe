import type { Place } from "../../plan/index.ts";
import type { SecretValue } from "../../secrets/index.ts";
import type { AuditEnd } from "../audit/AuditRecord.ts";
import type { UpstreamExchange, UpstreamReply } from "../http/UpstreamExchange.ts";
import { withoutHopByHop } from "../inject/inject.ts";
import { isGranted } from "../websocket/handshake.ts";
import { relayWebSocket } from "../websocket/relayWebSocket.ts";
import { aborted, fail, failureOf, type Exchange } from "./Exchange.ts";
import { streamReply } from "./streamReply.ts";

/** What frames need beside what a call needs. */
export interface UpgradeExchange extends Exchange {
  readonly places: readonly Place[];
  readonly phantom: string;
  readonly secret: SecretValue;
}

const NOTHING = Buffer.alloc(0);

/**
 * Asks the upstream for a WebSocket and, where it agrees, relays frames until both sides have closed.
 * `inject` has put Upgrade into the request and left extensions out, so that frames stay readable. Any
 * other reply is passed on like a call's. Once switched, an abort of `gone` with a RefusalCode
 * for its reason ends it. Rejects only on a bug.
 */
export async function forwardUpgrade(exchange: UpgradeExchange): Promise<AuditEnd> {
  const { granted, outgoing, pools, visit, gone: signal, connectTimeoutMs: timeoutMs } = exchange;
  const counts = { bytesOut: 0, bytesIn: 0 };
  let upstream: UpstreamExchange | undefined;
  const onGone = (): void => {
    upstream?.destroy();
  };
  visit.onGone(onGone);
  try {
    const { clientCertificate } = exchange;
    upstream = await pools.open(granted, outgoing, {
      signal,
      timeoutMs,
      h2: false,
      upgrade: true,
      fresh: true,
      ...(clientCertificate === undefined ? {} : { clientCertificate }),
    });
    upstream.end(NOTHING, []);
    const reply = await upstream.reply;
    if (reply.switched === undefined) {
      // The bot connects again by itself, and then with a token that is good.
      if (reply.status === 401) void exchange.renew?.();
      return await streamReply(exchange, reply, counts);
    }
    return await relay(exchange, reply, reply.switched);
  } catch (error) {
    return visit.gone ? aborted(counts) : fail(exchange, failureOf(error), counts);
  } finally {
    visit.offGone(onGone);
    upstream?.destroy();
  }
}

async function relay(
  exchange: UpgradeExchange,
  reply: UpstreamReply,
  upstream: NonNullable<UpstreamReply["switched"]>,
): Promise<AuditEnd> {
  const { call, redactor, visit, places, admission } = exchange;
  const none = { bytesOut: 0, bytesIn: 0 };
  if (!isGranted(call, reply)) {
    upstream.destroy();
    return fail(exchange, "upstream-protocol", none);
  }
  const headers = redactor.headers(withoutHopByHop(reply.headers));
  const bot = visit.switchProtocol([
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ...headers,
  ]);
  if (bot === undefined) {
    upstream.destroy();
    return aborted(none);
  }
  const { phantom, secret, foreignPhantoms, gone } = exchange;
  const end = await relayWebSocket({
    bot,
    upstream,
    places: places.filter((place) => place.in === "websocket"),
    phantom,
    secret,
    redactor,
    foreignPhantoms,
    onBytes: (bytes) => {
      admission.count(bytes);
    },
    cut: gone,
  });
  return { ...end, status: 101 };
}
