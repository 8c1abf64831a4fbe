/** A rate limit: `burst` at once, then `perSecond`. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  #left: number;
  #at: number;

  /** @param now milliseconds that never go back. */
  constructor(limit: { readonly burst: number; readonly perSecond: number }, now: () => number) {
    this.#burst = limit.burst;
    this.#perSecond = limit.perSecond;
    this.#now = now;
    this.#left = limit.burst;
    this.#at = now();
  }

  /** Takes one; `false` when there is none. */
  take(): boolean {
    const now = this.#now();
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** Nothing was taken for so long that a new bucket would be the same. */
  get full(): boolean {
    return this.#left + ((this.#now() - this.#at) / 1000) * this.#perSecond >= this.#burst;
  }
}

const MOST_SOURCES = 1024;

/** One bucket per source, forgetting those that are full again. */
export class SourceLimit {
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #limit: { readonly burst: number; readonly perSecond: number };
  readonly #now: () => number;

  constructor(
    limit: { readonly burst: number; readonly perSecond: number },
    now: () => number = () => performance.now(),
  ) {
    this.#limit = limit;
    this.#now = now;
  }

  take(source: string): boolean {
    let bucket = this.#buckets.get(source);
    if (bucket === undefined) {
      if (this.#buckets.size >= MOST_SOURCES) this.#forget();
      // Still too many sources at once: they share one bucket.
      const key = this.#buckets.size >= MOST_SOURCES ? "" : source;
      bucket = this.#buckets.get(key) ?? new TokenBucket(this.#limit, this.#now);
      this.#buckets.set(key, bucket);
    }
    return bucket.take();
  }

  #forget(): void {
    for (const [source, bucket] of this.#buckets) if (bucket.full) this.#buckets.delete(source);
  }
}
