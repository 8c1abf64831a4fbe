import type { AuditEnd } from "../audit/AuditRecord.ts";
import type { Granted } from "../Deployment.ts";
import { nameFailure } from "../dial/nameFailure.ts";
import type { ClientCertificate } from "../dial/upstreamTls.ts";
import type { UpstreamPools } from "../dial/UpstreamPools.ts";
import type { Admission } from "../gate/Admission.ts";
import { UpstreamError } from "../http/UpstreamExchange.ts";
import type { Visit } from "../http/Visit.ts";
import type { Outgoing } from "../inject/inject.ts";
import type { Call } from "../match.ts";
import type { PhantomIndex } from "../phantoms.ts";
import type { PatternSet } from "../redact/PatternSet.ts";
import type { Redactor } from "../redact/Redactor.ts";
import { refuse, type RefusalCode } from "../Refusal.ts";
import { replyRefused } from "./replyRefused.ts";

/** All that one exchange needs. */
export interface Exchange {
  readonly call: Call;
  readonly granted: Granted;
  readonly outgoing: Outgoing;
  readonly redactor: Redactor;
  /** To be found in request bodies. */
  readonly foreignPhantoms: PatternSet;
  /** Of all bots: none may stand in trailers. */
  readonly phantoms: PhantomIndex;
  readonly admission: Admission;
  readonly visit: Visit;
  readonly pools: UpstreamPools;
  readonly connectTimeoutMs: number;
  /** Aborts when the bot gives up. */
  readonly gone: AbortSignal;
  readonly clientCertificate?: ClientCertificate;
  /** After a 401: the same request by another credential, where there is one. Never called twice. */
  readonly renew?: () => Promise<Renewed | undefined>;
}

/** What is other in a call that is made once more. */
export type Renewed = Pick<Exchange, "outgoing" | "redactor">;

/**
 * Whether a call may be made once more: doing it twice is the same as doing it once (RFC 9110 section 9.2.2),
 * and all of its body is still there.
 */
export function isReplayable({ call, outgoing }: Exchange): boolean {
  return (
    ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].includes(call.method) &&
    (call.body === "none" || outgoing.body !== undefined)
  );
}

/** Body bytes until now. */
export interface Counts {
  bytesOut: number;
  bytesIn: number;
}

/** Answers a call that has begun and can't go on; gives what is to be recorded. */
export function fail(
  { visit }: Pick<Exchange, "visit">,
  code: RefusalCode,
  counts: Counts,
): AuditEnd {
  const status = replyRefused(visit, refuse(code));
  const outcome = REFUSED.has(code) ? "refused" : "upstream-error";
  return { outcome, code, ...(status === undefined ? {} : { status }), ...counts };
}

/** The bot's doing, not the upstream's. */
const REFUSED: ReadonlySet<RefusalCode> = new Set([
  "foreign-phantom-in-body",
  "phantom-misplaced",
  "body-unreadable",
]);

export function aborted(counts: Counts): AuditEnd {
  return { outcome: "client-abort", ...counts };
}

/** Which of our codes an exchange or the way to it has failed with. */
export function failureOf(error: unknown): RefusalCode {
  return error instanceof UpstreamError ? error.refused : nameFailure(error);
}
