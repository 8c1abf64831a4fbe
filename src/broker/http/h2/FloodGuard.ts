const WINDOW_MS = 10_000;

/** Counts what is harmless once and an attack by the hundred. */
export class FloodGuard {
  readonly #most: number;
  readonly #onFlood: () => void;
  #count = 0;
  #since = 0;

  /** @param most per ten seconds. */
  constructor(most: number, onFlood: () => void) {
    this.#most = most;
    this.#onFlood = onFlood;
  }

  count(): void {
    const now = performance.now();
    if (now - this.#since > WINDOW_MS) {
      this.#since = now;
      this.#count = 0;
    }
    this.#count += 1;
    if (this.#count > this.#most) this.#onFlood();
  }
}
