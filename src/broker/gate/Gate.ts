import type { Decision } from "../decide/decide.ts";
import type { Call } from "../match.ts";
import type { Refusal } from "../Refusal.ts";

/** What a call may do beside its rule: it waited for the owner's word if need be, and is within its limits. */
export interface Admission {
  /** Sees the reply as the bot gets it, to count usage. */
  watch(head: { readonly status: number; readonly type: string }): ReplyWatcher | undefined;
  /** On every way out; what comes after the first time changes nothing. Body bytes both ways. */
  end(counts: { readonly bytesOut: number; readonly bytesIn: number }): AdmissionEnd;
}

export interface ReplyWatcher {
  push(chunk: Buffer): void;
  end(): void;
}

/** What is recorded of it. */
export interface AdmissionEnd {
  readonly tokensIn?: number;
  readonly tokensOut?: number;
  readonly microdollars?: number;
}

/** Limits and asks. Without either a call passes at once. */
export class Gate {
  /**
   * Lets a decided call in, perhaps after the owner was asked. `gone` aborts when the bot gives up.
   */
  admit(_decision: Decision, _call: Call, _gone: AbortSignal): Promise<Admission | Refusal> {
    return Promise.resolve({ watch: () => undefined, end: () => ({}) });
  }
}
