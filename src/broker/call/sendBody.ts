import { iteratorSource } from "../http/iteratorSource.ts";
import type { UpstreamExchange } from "../http/UpstreamExchange.ts";
import { valuesOf } from "../match.ts";
import { BodyScanner } from "../redact/BodyScanner.ts";
import { decodeBody } from "../redact/decodeBody.ts";
import { isRefusal, type RefusalCode } from "../Refusal.ts";
import type { Counts, Exchange } from "./Exchange.ts";
import { passableTrailers } from "./trailers.ts";

/** `stopped`: one of both sides has gone. */
export type Sent = "sent" | "stopped" | RefusalCode;

const NOTHING = Buffer.alloc(0);

/** Sends what needs no waiting for the bot. `false` when its body has to be passed on as it comes. */
export function sendAtOnce(
  { admission, call, outgoing }: Exchange,
  upstream: UpstreamExchange,
  counts: Counts,
): boolean {
  if (outgoing.body !== undefined) {
    counts.bytesOut += outgoing.body.length;
    admission.count(outgoing.body.length);
    upstream.end(outgoing.body, []);
    return true;
  }
  if (call.body !== "none") return false;
  upstream.end(NOTHING, []);
  return true;
}

/** Passes the request's body on as it comes, its Content-Encoding undone, as `inject` says it. Never rejects. */
export async function sendBody(
  { admission, call, foreignPhantoms, outgoing, phantoms, visit }: Exchange,
  upstream: UpstreamExchange,
  counts: Counts,
): Promise<Sent> {
  const scanner = new BodyScanner(foreignPhantoms);
  const codings = outgoing.opaque === true ? [] : valuesOf(call.headers, "content-encoding");
  const plain = codings.length === 0 ? visit.body : await decodeBody(visit.body, codings);
  if (isRefusal(plain)) return "body-unreadable";
  const body =
    plain === visit.body ? visit.body : iteratorSource(() => plain[Symbol.asyncIterator]());
  try {
    for (;;) {
      const next = body.read();
      if (next instanceof Promise) upstream.flush();
      const chunk = next instanceof Promise ? await next : next;
      if (chunk === null) break;
      const clean = scanner.push(chunk);
      if (clean === undefined) return "foreign-phantom-in-body";
      counts.bytesOut += clean.length;
      admission.count(clean.length);
      const taken = upstream.write(clean);
      if (!(taken instanceof Promise ? await taken : taken)) return "stopped";
    }
  } catch {
    if (!visit.gone && body !== visit.body) return "body-unreadable";
    // The client went away in the middle; what was sent must not look finished.
    upstream.destroy();
    return "stopped";
  }
  const rest = scanner.end();
  counts.bytesOut += rest.length;
  const trailers = passableTrailers(visit.trailers);
  if (trailers.some((header) => header.some((text) => phantoms.find(text) !== undefined)))
    return "phantom-misplaced";
  upstream.end(rest, trailers);
  return "sent";
}
