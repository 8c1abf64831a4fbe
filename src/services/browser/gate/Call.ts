import { MOST_REFUSED, type BrowserRules, type RefusedRequest } from "../messages.ts";
import type { WebRefusalCode } from "./WebRefusal.ts";

/** A page that asks for more things than this is no page that anybody reads. */
const MOST_REQUESTS = 600;

/** One call's share of the network: what its page may still load, and what it was refused. */
export class Call {
  readonly rules: BrowserRules;
  readonly refused: (RefusedRequest & { readonly code: WebRefusalCode })[] = [];
  #codes = new Map<string, WebRefusalCode>();
  #bytes = 0;
  #requests = 0;
  readonly #over = new AbortController();

  readonly #tooLarge: () => void;

  /** @param tooLarge is called when the page has loaded more than it may. */
  constructor(rules: BrowserRules, tooLarge: () => void) {
    this.rules = rules;
    this.#tooLarge = tooLarge;
  }

  /** Aborts when the call has ended: nothing of its page goes on. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get requests(): number {
    return this.#requests;
  }

  /** Counts a request; false when there were too many. */
  countRequest(): boolean {
    this.#requests += 1;
    return this.#requests <= MOST_REQUESTS;
  }

  /** Counts decoded bytes; false when the page has had all that it may, which ends the call. */
  countBytes(length: number): boolean {
    this.#bytes += length;
    if (this.#bytes <= this.rules.bytes) return true;
    this.#tooLarge();
    return false;
  }

  refuse(url: string, code: WebRefusalCode): void {
    this.#codes.set(url, code);
    if (this.#codes.size > 10 * MOST_REFUSED) this.#codes = new Map([[url, code]]);
    if (this.refused.length < MOST_REFUSED) this.refused.push({ url: url.slice(0, 500), code });
  }

  /** Why this very address was refused, if it was. */
  codeOf(url: string): WebRefusalCode | undefined {
    return this.#codes.get(url);
  }

  end(): void {
    this.#over.abort();
  }
}
