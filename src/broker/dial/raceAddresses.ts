import { isIPv6 } from "node:net";

/** The addresses with families taking turns, beginning with that of the first (RFC 8305 section 4). */
export function interleave(addresses: readonly string[]): readonly string[] {
  const first = addresses[0] !== undefined && isIPv6(addresses[0]);
  const one = addresses.filter((address) => isIPv6(address) === first);
  const other = addresses.filter((address) => isIPv6(address) !== first);
  const turns = Math.max(one.length, other.length);
  return Array.from({ length: turns }, (_, turn) => [
    ...one.slice(turn, turn + 1),
    ...other.slice(turn, turn + 1),
  ]).flat();
}

/**
 * Happy eyeballs (RFC 8305 section 5): tries the addresses in order, the next one when the last has
 * failed or has had `staggerMs` without an answer; none is given up before one has won, however slow.
 * All the losers are told by their signal.
 *
 * @param attempt must reject, and close what it opened, when its signal aborts.
 * @throws the first attempt's error when all have failed, or the signal's reason.
 */
export function raceAddresses<Won extends { destroy(): unknown }>(
  addresses: readonly string[],
  staggerMs: number,
  signal: AbortSignal,
  attempt: (address: string, signal: AbortSignal) => Promise<Won>,
): Promise<Won> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const tries = new Map<number, AbortController>();
    let next = 0;
    let over = false;
    let timer: NodeJS.Timeout | undefined;
    let firstError: unknown;
    const finish = (): void => {
      over = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
    };
    const giveUp = (): void => {
      finish();
      for (const controller of tries.values()) controller.abort(signal.reason);
      reject(signal.reason as Error);
    };
    const start = (): void => {
      clearTimeout(timer);
      const index = next;
      const address = addresses[index];
      if (address === undefined) {
        if (tries.size > 0) return;
        finish();
        reject(firstError ?? new Error("no address"));
        return;
      }
      next += 1;
      const controller = new AbortController();
      tries.set(index, controller);
      timer = setTimeout(start, staggerMs);
      attempt(address, controller.signal).then(
        (won) => {
          tries.delete(index);
          if (over) {
            won.destroy();
            return;
          }
          finish();
          for (const loser of tries.values()) loser.abort(new Error("another address was faster"));
          resolve(won);
        },
        (error: unknown) => {
          tries.delete(index);
          firstError ??= error;
          if (!over) start();
        },
      );
    };
    signal.addEventListener("abort", giveUp, { once: true });
    start();
  });
}
