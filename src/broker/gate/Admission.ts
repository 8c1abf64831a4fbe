import type { Outcome } from "../audit/AuditRecord.ts";
import type { Edit } from "../content/overlayJson.ts";

/** What a call may do beside its rule: it waited for the owner's word if need be, and is within its limits. */
export interface Admission {
  /** Changes that the checks on messages make in the body; see `editCall`. */
  readonly edits: readonly Edit[];
  /** Sees the reply as the bot gets it, to count usage. */
  watch(head: { readonly status: number; readonly type: string }): ReplyWatcher | undefined;
  /** Body bytes as they pass, either way; they count at once. May be left out: `end` tells them all. */
  count(bytes: number): void;
  /** Called once when the bytes that passed are more than the day's limit. */
  onSpent(cut: () => void): void;
  /** On every way out; what comes after the first time changes nothing. Body bytes both ways. */
  end(counts: {
    readonly bytesOut: number;
    readonly bytesIn: number;
    readonly outcome?: Outcome;
  }): AdmissionEnd;
}

export interface ReplyWatcher {
  push(chunk: Buffer): void;
  end(): void;
}

/** What is recorded of it. */
export interface AdmissionEnd {
  /** Those of caches included. */
  readonly tokensIn?: number;
  readonly tokensOut?: number;
  readonly microdollars?: number;
  /** The reply didn't tell its tokens, or was cut before it did: they are guessed from its size. */
  readonly tokensEstimated?: true;
}
