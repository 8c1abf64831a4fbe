const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
/** A process that ran this long is healthy: its next failure counts as the first again. */
const STABLE_MS = 120_000;

/** How long to wait before the next start, and the count to carry on with. */
export interface BackOff {
  readonly failures: number;
  readonly delayMs: number;
}

/**
 * Doubles the wait with each failure in a row: 1 s, 2 s, 4 s … at most 60 s.
 *
 * @param failures failures in a row before this one.
 * @param ranMs how long the process ran this time.
 */
export function backOff(failures: number, ranMs: number): BackOff {
  const count = ranMs >= STABLE_MS ? 1 : failures + 1;
  return { failures: count, delayMs: Math.min(FIRST_MS * 2 ** (count - 1), LONGEST_MS) };
}
