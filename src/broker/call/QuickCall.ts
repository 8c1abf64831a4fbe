import type { AuditEnd, AuditStart } from "../audit/AuditRecord.ts";
import type { OpenCall } from "../audit/Audit.ts";
import type { Deployment } from "../Deployment.ts";
import { nameFailure } from "../dial/nameFailure.ts";
import type { Admission } from "../gate/Admission.ts";
import { ByteQueue } from "../http/ByteQueue.ts";
import type { ConnectionUser, H1Connection } from "../http/h1/H1Connection.ts";
import type { H1Visit } from "../http/h1/H1Visit.ts";
import { joinHead } from "../http/h1/headKey.ts";
import { ReplyFault } from "../http/h1/ReplyFault.ts";
import { ReplyParser, type ParsedHead, type ReplySink } from "../http/h1/ReplyParser.ts";
import { valuesOf, type Call, type Header } from "../match.ts";
import type { PatternSet } from "../redact/PatternSet.ts";
import type { Redactor } from "../redact/Redactor.ts";
import { refuse, type RefusalCode } from "../Refusal.ts";
import type { BrokerParts, InForce } from "./BrokerParts.ts";
import { aborted, fail, failureOf, type Counts } from "./Exchange.ts";
import { forward } from "./forward.ts";
import { recordRefusal } from "./handleCall.ts";
import type { KnownCall, Origin } from "./KnownCalls.ts";
import { replyRefused, statusOfRefusal } from "./replyRefused.ts";
import { callMayRun, type RunningCall } from "./RunningCalls.ts";
import { openReply, streamReply, type ReplyExchange } from "./streamReply.ts";

/** What a quick call goes out with; all of it there at once. */
export interface Prepared {
  readonly parts: BrokerParts;
  readonly inForce: InForce;
  readonly origin: Origin;
  readonly known: KnownCall;
  readonly foreignPhantoms: PatternSet;
  readonly admission: Admission;
  /** An idle one; absent where it is still to be made. */
  readonly upstream: H1Connection | undefined;
}

const NOTHING = Buffer.alloc(0);

/**
 * Whether a call whose head is known can go out at once: its body is there, its secret needs no waiting
 * and nothing keeps it back. `undefined`: it goes the usual way, and nothing has happened.
 */
export function prepareQuickCall(
  parts: BrokerParts,
  inForce: InForce,
  origin: Origin,
  known: KnownCall,
  body: Buffer,
): Prepared | undefined {
  const { deployment } = inForce;
  const { granted } = known.decision;
  const source = deployment.secrets.get(granted.grant.secret);
  const secret = source === undefined ? undefined : deployment.store.peek?.(source);
  if (secret === undefined || !secret.equals(known.secret)) return undefined;
  if (!deployment.redactors.isCurrent(granted.grant.phantom, known.redactor)) return undefined;
  // What the usual way would warn of, or take back.
  if (parts.warned.size > 0) return undefined;
  const foreignPhantoms = deployment.foreignPhantoms.get(origin.bot);
  if (foreignPhantoms?.find(body, 0) !== undefined || foreignPhantoms === undefined)
    return undefined;
  const admission = parts.gate.admitAtOnce(known.decision, known.call);
  if (admission === undefined) return undefined;
  const upstream = parts.pools.takeIdle(granted);
  return { parts, inForce, origin, known, foreignPhantoms, admission, upstream };
}

/**
 * A call whose head came before, from the same place: what `handleCall` would decide is known, so it is
 * recorded, sent, and its reply redacted and passed on without a promise on its way. A reply that isn't
 * there as a whole goes on by `streamReply`, a connection that was stale by `forward`, as any other.
 */
export class QuickCall implements ConnectionUser, ReplySink, RunningCall, ReplyExchange {
  readonly call: Call;
  readonly redactor: Redactor;
  readonly admission: Admission;
  readonly visit: H1Visit;
  readonly #prepared: Prepared;
  readonly #deployment: Deployment;
  readonly #counts: Counts = { bytesOut: 0, bytesIn: 0 };
  readonly #parser: ReplyParser;
  readonly #began = Date.now();
  #upstream: H1Connection | undefined;
  #open: OpenCall | undefined;
  #leave: (() => void) | undefined;
  #head: ParsedHead | undefined;
  #first: Buffer = NOTHING;
  #queue: ByteQueue | undefined;
  #trailers: readonly Header[] = [];
  #replied = false;
  #reused = true;
  /** Something else ends the call: the answer's writer, `streamReply` or `forward`. */
  #handedOn = false;
  #dialling: AbortController | undefined;
  #connectMs: number | undefined;
  #firstByteMs: number | undefined;
  #cut: RefusalCode | undefined;

  constructor(prepared: Prepared, visit: H1Visit) {
    const { known, admission, upstream, inForce } = prepared;
    this.#prepared = prepared;
    this.#deployment = inForce.deployment;
    this.#upstream = upstream;
    this.call = known.call;
    this.redactor = known.redactor;
    this.admission = admission;
    this.visit = visit;
    this.#parser = new ReplyParser(this, { method: known.call.method, upgrade: false });
  }

  /** @param body the one that it was prepared for. */
  start(body: Buffer): void {
    const { parts, inForce, known, admission, upstream } = this.#prepared;
    const open = inForce.audit.begin(known.start, this.#began);
    if (open === undefined) {
      this.#upstream = undefined;
      upstream?.release();
      admission.end({ bytesOut: 0, bytesIn: 0 });
      this.#refuse(inForce, known.start);
      return;
    }
    this.#open = open;
    this.visit.onGone(() => {
      this.#onBotGone();
    });
    this.#leave = parts.running.add(this, this.#deployment);
    if (this.#isOver()) {
      this.#leave();
      return;
    }
    admission.onSpent(() => {
      this.cut("byte-limit");
    });
    this.#counts.bytesOut = body.length;
    admission.count(body.length);
    // Whatever ended it meanwhile has taken the connection away.
    if (this.#isOver()) return;
    if (upstream === undefined) this.#dial(body);
    else this.#send(upstream, body);
  }

  #send(upstream: H1Connection, body: Buffer): void {
    if (upstream.lend(this)) upstream.socket.write(joinHead(this.#prepared.known.sent, body));
    else this.onGone(undefined);
  }

  #dial(body: Buffer): void {
    const { parts, known } = this.#prepared;
    const began = Date.now();
    const gone = new AbortController();
    this.#dialling = gone;
    const options = { signal: gone.signal, timeoutMs: parts.timeouts.connect };
    parts.pools.dial(known.decision.granted, options).then(
      (upstream) => {
        this.#dialling = undefined;
        if (this.#isOver()) {
          upstream.release();
          return;
        }
        this.#reused = false;
        this.#connectMs = Date.now() - began;
        this.#upstream = upstream;
        this.#send(upstream, body);
      },
      (error: unknown) => {
        this.#dialling = undefined;
        if (!this.#isOver()) this.#fail(failureOf(error), error);
      },
    );
  }

  recheck(deployment: Deployment): boolean {
    const { origin, known } = this.#prepared;
    return callMayRun(deployment, origin, known.call, known.decision);
  }

  cut(code: RefusalCode): void {
    this.#cut ??= code;
    this.visit.destroy();
  }

  onData(chunk: Buffer): void {
    try {
      this.#parser.push(chunk);
    } catch (error) {
      if (!(error instanceof ReplyFault)) throw error;
      this.#fail("upstream-protocol", error);
      return;
    }
    if (this.#head !== undefined && this.#queue === undefined && this.#open !== undefined)
      this.#passOn(this.#head);
  }

  onDrain(): void {
    // All that it writes is written at once.
  }

  onEnd(): void {
    if (!this.#parser.end()) this.onGone(undefined);
  }

  onGone(error: Error | undefined): void {
    if (this.#upstream === undefined) return;
    if (this.#reused && !this.#parser.begun && !this.visit.gone) {
      const { call } = this;
      if (call.body === "none" && ["GET", "HEAD", "OPTIONS"].includes(call.method)) {
        this.#closeUpstream();
        this.#retry();
        return;
      }
    }
    const code =
      error === undefined && this.#parser.begun ? "upstream-protocol" : nameFailure(error);
    this.#fail(code, error);
  }

  onHead(head: ParsedHead): void {
    this.#head = head;
    this.#firstByteMs = Date.now() - this.#began;
  }

  onBody(chunk: Buffer): void {
    if (this.#queue !== undefined) {
      if (!this.#queue.push(chunk)) this.#upstream?.socket.pause();
    } else this.#first = this.#first.length === 0 ? chunk : Buffer.concat([this.#first, chunk]);
  }

  onEndOfReply(trailers: readonly Header[], rest: Buffer): void {
    this.#trailers = trailers;
    this.#replied = true;
    this.#queue?.end();
    const upstream = this.#upstream;
    this.#upstream = undefined;
    if (rest.length === 0 && this.#head?.persistent === true) upstream?.release();
    else upstream?.close();
  }

  onSwitch(): void {
    throw new ReplyFault("protocol switch that nobody asked for");
  }

  /** The reply's head is there, and perhaps all of it. */
  #passOn(head: ParsedHead): void {
    this.#handedOn = true;
    const whole =
      this.#replied &&
      this.#trailers.length === 0 &&
      valuesOf(head.headers, "content-encoding").length === 0;
    if (whole) this.#answer(head);
    else this.#stream(head);
  }

  #answer(head: ParsedHead): void {
    const counts = this.#counts;
    const { status } = head;
    try {
      const { writer, stream, watcher } = openReply(this, head, []);
      const held = stream.push(this.#first);
      const rest = stream.end();
      counts.bytesIn = held.length + rest.length;
      this.admission.count(held.length);
      watcher?.push(held);
      watcher?.push(rest);
      watcher?.end();
      const last = rest.length === 0 ? held : Buffer.concat([held, rest]);
      void writer.end(last, []).then((finished) => {
        this.#end({ ...(finished ? { outcome: "done", ...counts } : aborted(counts)), status });
      });
    } catch {
      this.#endByBug();
    }
  }

  #stream({ status, reason, headers }: ParsedHead): void {
    const queue = new ByteQueue(() => this.#upstream?.socket.resume());
    this.#queue = queue;
    if (this.#first.length > 0 && !queue.push(this.#first)) this.#upstream?.socket.pause();
    this.#first = NOTHING;
    if (this.#replied) queue.end();
    const trailers = (): readonly Header[] => this.#trailers;
    const reply = {
      status,
      reason,
      headers,
      body: queue,
      get trailers() {
        return trailers();
      },
    };
    streamReply(this, reply, this.#counts).then(
      (end) => {
        this.#closeUpstream();
        this.#end(end);
      },
      () => {
        this.#endByBug();
      },
    );
  }

  /** The connection had been closed in the moment it was used: nothing has happened yet. */
  #retry(): void {
    this.#handedOn = true;
    const { parts, known, foreignPhantoms } = this.#prepared;
    const gone = new AbortController();
    this.visit.onGone(() => {
      gone.abort();
    });
    forward({
      call: known.call,
      granted: known.decision.granted,
      outgoing: known.outgoing,
      redactor: this.redactor,
      foreignPhantoms,
      phantoms: this.#deployment.phantoms,
      admission: this.admission,
      visit: this.visit,
      pools: parts.pools,
      connectTimeoutMs: parts.timeouts.connect,
      gone: gone.signal,
    }).then(
      (end) => {
        this.#end(end);
      },
      () => {
        this.#endByBug();
      },
    );
  }

  #onBotGone(): void {
    this.#dialling?.abort();
    this.#queue?.fail(new Error("the bot went away"));
    this.#closeUpstream();
    // Whoever passes the reply on, or tries once more, tells how that ended.
    if (!this.#handedOn) this.#end(aborted(this.#counts));
  }

  #fail(code: RefusalCode, cause: unknown): void {
    this.#closeUpstream();
    if (this.#queue !== undefined) this.#queue.fail(new Error(code, { cause }));
    else if (this.visit.gone) this.#end(aborted(this.#counts));
    else this.#end(fail(this, code, this.#counts));
  }

  #isOver(): boolean {
    return this.#open === undefined;
  }

  #closeUpstream(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.close();
  }

  #endByBug(): void {
    this.#closeUpstream();
    const status = replyRefused(this.visit, refuse("internal"));
    this.#end({
      outcome: "internal-error",
      code: "internal",
      ...(status === undefined ? {} : { status }),
    });
  }

  #end(end: AuditEnd): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const { outcome } = end;
    const { bytesOut, bytesIn } = this.#counts;
    open.end({
      ...end,
      ...(this.#cut === undefined ? {} : { outcome: "refused", code: this.#cut }),
      ...(this.#connectMs === undefined ? {} : { connectMs: this.#connectMs }),
      ...(this.#firstByteMs === undefined ? {} : { firstByteMs: this.#firstByteMs }),
      ...this.admission.end({ bytesOut, bytesIn, outcome }),
    });
    this.#leave?.();
  }

  /** The record can't be written. */
  #refuse({ audit }: InForce, start: AuditStart): void {
    const refusal = refuse("audit-unwritable");
    recordRefusal(audit, start, refusal.refused, statusOfRefusal(this.visit, refusal), this.#began);
    replyRefused(this.visit, refusal);
  }
}
