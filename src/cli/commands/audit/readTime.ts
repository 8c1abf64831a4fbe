import { UsageError } from "../../UsageError.ts";

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * A time as people give it: ISO 8601 (a day alone begins at 0:00 UTC, a time without a zone is the
 * machine's), or so long before `now` as `90m` says.
 *
 * @returns milliseconds since the epoch.
 * @throws UsageError
 */
export function readTime(text: string, now: number): number {
  const ago = /^(\d{1,6})([smhdw])$/.exec(text);
  if (ago !== null) return now - Number(ago[1]) * UNITS[ago[2] as keyof typeof UNITS];
  const time = ISO.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new UsageError("that is no time", "as in: 2026-11-02, 2026-11-02T08:15Z, 90m, 36h, 7d");
  return time;
}

/** A whole number from `least` on. @throws UsageError */
export function readNumber(text: string, least: number, example: string): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number < least)
    throw new UsageError("that is no such number", `as in: ${example}`);
  return number;
}
