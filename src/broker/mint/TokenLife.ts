/** Milliseconds. The wall clock may jump, and the monotonic one stands still while the machine sleeps. */
export interface Clock {
  wall(): number;
  monotonic(): number;
}

export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
};

/** The last part of a life in which a token is renewed: a fifth, but no more than is needed for many tries. */
const MARGIN = 0.2;
const MOST_MARGIN_MS = 5 * 60_000;
/** How long before its end a token isn't sent any more: a call takes time to be checked. */
const LEAST_MARGIN_MS = 5000;

/** How old a token is, by whichever clock says it is older, and what follows from that. */
export class TokenLife {
  readonly #lifetimeMs: number;
  readonly #clock: Clock;
  readonly #wall: number;
  readonly #monotonic: number;

  /** Begins now. */
  constructor(lifetimeMs: number, clock: Clock) {
    this.#lifetimeMs = lifetimeMs;
    this.#clock = clock;
    this.#wall = clock.wall();
    this.#monotonic = clock.monotonic();
  }

  age(): number {
    return Math.max(this.#clock.wall() - this.#wall, this.#clock.monotonic() - this.#monotonic);
  }

  /** It is to be renewed, but serves meanwhile. */
  isLate(): boolean {
    return this.age() >= this.#lifetimeMs - Math.min(this.#lifetimeMs * MARGIN, MOST_MARGIN_MS);
  }

  /** It serves no more. One that lives for seconds only serves for most of them. */
  isOver(): boolean {
    return (
      this.age() >= this.#lifetimeMs - Math.min(this.#lifetimeMs * (MARGIN / 2), LEAST_MARGIN_MS)
    );
  }
}
