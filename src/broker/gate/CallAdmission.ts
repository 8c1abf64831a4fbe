import type { LimitsPlan, UsageFormat } from "../../plan/index.ts";
import type { Edit } from "../content/overlayJson.ts";
import type { Admission, AdmissionEnd, ReplyWatcher } from "./Admission.ts";
import type { Refusal } from "../Refusal.ts";
import type { Meter, Reserved } from "./Meter.ts";
import { priceOf } from "./prices.ts";
import { UsageReader, type Usage } from "./usage/UsageReader.ts";

/** A meter that the call runs on. */
export interface Running {
  readonly meter: Meter;
  readonly limits: LimitsPlan;
  readonly reserved: Reserved;
}

/** What is metered of a call beside its bytes. */
export interface Metered {
  readonly service: string;
  readonly usage: UsageFormat | undefined;
  /** Whether a call of this method makes a model work. */
  readonly works: boolean;
}

type Counts = Parameters<Admission["end"]>[0];

/** One call (or tunnel) that was let in. */
export class CallAdmission implements Admission {
  readonly edits: readonly Edit[];
  readonly #meters: readonly Running[];
  readonly #metered: Metered;
  readonly #changed: () => void;
  #reader: UsageReader | undefined;
  #answered = false;
  #counted = 0;
  #spent: (() => void) | undefined;
  #isSpent = false;
  #ended = false;

  /** @param changed called when something was used. */
  constructor(
    meters: readonly Running[],
    metered: Metered,
    edits: readonly Edit[],
    changed: () => void,
  ) {
    this.#meters = meters;
    this.#metered = metered;
    this.#changed = changed;
    this.edits = edits;
  }

  watch({ status, type }: { status: number; type: string }): ReplyWatcher | undefined {
    this.#answered = true;
    if (this.#metered.usage === undefined || status < 200 || status > 299) return undefined;
    this.#reader = new UsageReader(type);
    return this.#reader;
  }

  /** Whether the day's limits were reached by others meanwhile. */
  checkDay(): Refusal | undefined {
    return this.#meters.map(({ meter, limits }) => meter.checkDay(limits, false)).find(Boolean);
  }

  count(bytes: number): void {
    this.#counted += bytes;
    if (this.#meters.length === 0 || bytes === 0) return;
    this.#changed();
    for (const { meter, limits } of this.#meters)
      if (!meter.count(bytes, limits)) this.#isSpent = true;
    if (this.#isSpent) this.#spent?.();
    if (this.#isSpent) this.#spent = undefined;
  }

  onSpent(cut: () => void): void {
    this.#spent = cut;
  }

  end(counts: Counts): AdmissionEnd {
    if (this.#ended) return {};
    this.#ended = true;
    this.#spent = undefined;
    this.count(Math.max(0, counts.bytesOut + counts.bytesIn - this.#counted));
    const { used, cost, ...told } = this.#readUsage(counts);
    for (const { meter, reserved } of this.#meters)
      meter.leave(reserved, { bytes: 0, tokens: used, microdollars: cost });
    this.#changed();
    const limited = this.#meters.some(({ limits }) => limits.microdollarsPerDay !== undefined);
    const { known, ...rest } = told;
    return known || limited ? { ...rest, microdollars: cost } : rest;
  }

  /**
   * A bot that hangs up before a reply tells its usage has used it all the same: then, and where a
   * reply never tells, tokens are guessed from the bytes that passed.
   */
  #readUsage(counts: Counts): AdmissionEnd & { used: number; cost: number; known: boolean } {
    const { service, usage: format, works } = this.#metered;
    const nothing = { used: 0, cost: 0, known: false };
    if (format === undefined) return nothing;
    const report = this.#reader?.report();
    if (report === undefined) {
      // Refused by the service, or never reached it; but one that hung up while the model thought did.
      const hungUp = counts.outcome === "client-abort" || counts.outcome === "stopped";
      if (this.#answered || !hungUp || counts.bytesOut === 0) return nothing;
    } else if (report.usage === undefined && report.free) return nothing;
    if (!works && report?.usage === undefined) return nothing;
    const told = report?.usage;
    const cut = report?.finished !== true;
    const usage: Usage = {
      input: told?.input ?? Math.ceil(counts.bytesOut / 4),
      output:
        told === undefined || cut ? Math.max(told?.output ?? 0, report?.guess ?? 0) : told.output,
      cacheRead: told?.cacheRead ?? 0,
      cacheWrite: told?.cacheWrite ?? 0,
    };
    const tokensIn = usage.input + usage.cacheRead + usage.cacheWrite;
    const price = priceOf(service, report?.model, usage);
    const saidCost = service === "openrouter" ? report?.cost : undefined;
    return {
      tokensIn,
      tokensOut: usage.output,
      ...(told === undefined || cut ? { tokensEstimated: true } : {}),
      used: tokensIn + usage.output,
      cost: saidCost === undefined ? price.microdollars : Math.ceil(saidCost * 1e6),
      known: saidCost !== undefined || price.known,
    };
  }
}
