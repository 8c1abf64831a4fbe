import type { AuditEnd } from "../audit/AuditRecord.ts";
import type { ReplyWatcher } from "../gate/Admission.ts";
import { iteratorSource } from "../http/iteratorSource.ts";
import type { UpstreamReply } from "../http/UpstreamExchange.ts";
import type { ReplyWriter } from "../http/Visit.ts";
import { withoutHopByHop } from "../inject/inject.ts";
import { valuesOf } from "../match.ts";
import type { Redactor } from "../redact/Redactor.ts";
import { decodeBody } from "../redact/decodeBody.ts";
import { isRefusal } from "../Refusal.ts";
import { aborted, fail, type Counts, type Exchange } from "./Exchange.ts";
import { passableTrailers } from "./trailers.ts";

const NOTHING = Buffer.alloc(0);

/** What a reply is passed on with. */
export type ReplyExchange = Pick<Exchange, "admission" | "call" | "redactor" | "visit">;

/**
 * Begins the answer: its head, redacted.
 *
 * @param dropped lower-case names of headers that wouldn't be true any more.
 */
export function openReply(
  { admission, redactor, visit }: ReplyExchange,
  { status, reason, headers }: Pick<UpstreamReply, "status" | "reason" | "headers">,
  dropped: readonly string[],
): {
  readonly writer: ReplyWriter;
  readonly stream: ReturnType<Redactor["stream"]>;
  readonly watcher: ReplyWatcher | undefined;
} {
  const without = redactor.keepsLengths ? dropped : [...dropped, "content-length"];
  const writer = visit.respond({
    status,
    // What isn't visible ASCII can't stand in a status line.
    reason: reason === "OK" ? reason : redactor.text(reason).replaceAll(/[^\x20-\x7e]/g, ""),
    headers: redactor.headers(withoutHopByHop(headers, without)),
  });
  const type = valuesOf(headers, "content-type")[0] ?? "";
  return { writer, stream: redactor.stream(type), watcher: admission.watch({ status, type }) };
}

/** Streams one reply: head and body redacted, each chunk as it comes. */
export async function streamReply(
  exchange: ReplyExchange,
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
  const { writer, stream, watcher } = openReply(
    exchange,
    reply,
    decoded ? ["content-length", "content-encoding"] : [],
  );
  // A chunk is held only while it is known already whether it is the last, so that a short reply is one write.
  let held: Buffer = NOTHING;
  let rest: Buffer;
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
    rest = stream.end();
  } catch {
    if (visit.gone) return { ...aborted(counts), status };
    // Cut, not ended: the bot must not take half a reply for a whole one.
    visit.destroy();
    return { outcome: "upstream-error", code: "upstream-protocol", status, ...counts };
  }
  counts.bytesIn += rest.length;
  watcher?.push(rest);
  watcher?.end();
  const last = rest.length === 0 ? held : Buffer.concat([held, rest]);
  const finished = await writer.end(last, redactor.headers(passableTrailers(reply.trailers)));
  return { ...(finished ? { outcome: "done", ...counts } : aborted(counts)), status };
}

function ignore(): void {
  // Whoever awaits it meets the error; until then it must not count as unhandled.
}
