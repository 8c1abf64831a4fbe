import type { LimitsPlan } from "../../plan/index.ts";
import { refuse, type Refusal } from "../Refusal.ts";

/** Both are in milliseconds. */
export interface Clock {
  /** Since 1970; may jump. */
  wall(): number;
  /** Never goes back. */
  steady(): number;
}

export const SYSTEM_CLOCK: Clock = { wall: () => Date.now(), steady: () => performance.now() };

/** What was used of one day. */
export interface Use {
  bytes: number;
  tokens: number;
  microdollars: number;
}

/** As it stands in the file. */
export interface SavedMeter {
  /** Calls that might be made at once, at the time `at`. */
  readonly calls?: number;
  readonly at?: number;
  /** By day, `2026-11-23` in UTC. */
  readonly days: Readonly<Record<string, Readonly<Use>>>;
}

/** What a call may use is set aside while it runs, so that many at once can't pass a limit together. */
export type Reserved = Readonly<Use>;

const NOTHING: Reserved = { bytes: 0, tokens: 0, microdollars: 0 };
const MINUTE = 60_000;
const DAY = 86_400_000;
/** Days that are remembered: a clock that is set back finds what was used then. */
const MOST_DAYS = 4;
/** Set aside per call until it is known what calls of this grant use. */
const FIRST_GUESS: Reserved = { bytes: 0, tokens: 2000, microdollars: 20_000 };

/** What one bot, or one of its grants, uses of its limits. Times and days are checked only where a limit is set. */
export class Meter {
  readonly #clock: Clock;
  readonly #days = new Map<string, Use>();
  /** The one that was asked for last, by the days since 1970. */
  #today: { readonly number: number; readonly use: Use } | undefined;
  /** Set aside for calls that run. */
  #reserved: Use = { ...NOTHING };
  #largest: Use = { ...NOTHING };
  #running = 0;
  #calls: number | undefined;
  #callsAt = 0;

  constructor(clock: Clock, saved?: SavedMeter) {
    this.#clock = clock;
    for (const [day, use] of Object.entries(saved?.days ?? {})) this.#days.set(day, { ...use });
    this.#callsAt = clock.steady();
    if (saved?.calls === undefined) return;
    // How long it was away is known by the wall clock alone; one that went back says nothing.
    const away = Math.max(0, clock.wall() - (saved.at ?? 0));
    this.#calls = saved.calls;
    this.#callsAt -= Math.min(away, MINUTE);
  }

  /** Whether one more call is within the limits. Nothing is taken yet. */
  check(limits: LimitsPlan): Refusal | undefined {
    if (limits.callsPerMinute !== undefined) {
      const left = this.#callsLeft(limits.callsPerMinute);
      if (left < 1) {
        const seconds = ((1 - left) * 60) / limits.callsPerMinute;
        return refuse("rate-limit", { retryAfter: Math.max(1, Math.ceil(seconds)) });
      }
    }
    if (limits.concurrentCalls !== undefined && this.#running >= limits.concurrentCalls)
      return refuse("concurrency-limit", { retryAfter: 1 });
    return this.checkDay(limits);
  }

  /** Whether anything is left of the day. @param running whether what runs counts as if it used what was set aside. */
  checkDay(limits: LimitsPlan, running = true): Refusal | undefined {
    const { bytes, tokens, microdollars } = this.today();
    const reserved = running ? this.#reserved : NOTHING;
    const spent = (used: number, aside: number, limit: number | undefined): number | undefined => {
      if (limit === undefined || used + aside < limit) return undefined;
      // What is only set aside comes back soon.
      return used >= limit ? this.#secondsLeftOfDay() : 5;
    };
    for (const [code, retryAfter] of [
      ["byte-limit", spent(bytes, 0, limits.bytesPerDay)],
      ["token-limit", spent(tokens, reserved.tokens, limits.tokensPerDay)],
      ["money-limit", spent(microdollars, reserved.microdollars, limits.microdollarsPerDay)],
    ] as const)
      if (retryAfter !== undefined) return refuse(code, { retryAfter });
    return undefined;
  }

  /** A call begins. To be given back to `leave`, once. */
  enter(limits: LimitsPlan, metered: boolean): Reserved {
    this.#running += 1;
    if (limits.callsPerMinute !== undefined)
      this.#calls = this.#callsLeft(limits.callsPerMinute) - 1;
    if (!metered) return NOTHING;
    const guess = (name: "tokens" | "microdollars"): number =>
      this.#largest[name] === 0 ? FIRST_GUESS[name] : this.#largest[name];
    const reserved = { bytes: 0, tokens: guess("tokens"), microdollars: guess("microdollars") };
    add(this.#reserved, reserved, 1);
    return reserved;
  }

  /** It ended, and this is what it used beside the bytes that were counted. */
  leave(reserved: Reserved, use: Readonly<Use>): void {
    this.#running -= 1;
    add(this.#reserved, reserved, -1);
    add(this.today(), use, 1);
    this.#largest.tokens = Math.max(this.#largest.tokens, use.tokens);
    this.#largest.microdollars = Math.max(this.#largest.microdollars, use.microdollars);
  }

  /** Bytes that pass. `false` once they are more than the day's limit. */
  count(bytes: number, limits: LimitsPlan): boolean {
    const today = this.today();
    today.bytes += bytes;
    return limits.bytesPerDay === undefined || today.bytes <= limits.bytesPerDay;
  }

  /** What was used today, to be added to. */
  today(): Use {
    const number = Math.floor(this.#clock.wall() / DAY);
    if (this.#today?.number === number) return this.#today.use;
    const day = new Date(number * DAY).toISOString().slice(0, 10);
    const there = this.#days.get(day);
    const fresh = there ?? { ...NOTHING };
    this.#today = { number, use: fresh };
    if (there !== undefined) return there;
    this.#days.set(day, fresh);
    if (this.#days.size > MOST_DAYS) {
      const [oldest = day] = [...this.#days.keys()].filter((each) => each !== day).toSorted();
      this.#days.delete(oldest);
    }
    return fresh;
  }

  /** What runs counts as if it used what was set aside for it: should the process die, it is not forgotten. */
  save(): SavedMeter {
    const days = Object.fromEntries([...this.#days].map(([day, use]) => [day, { ...use }]));
    const today = this.today();
    const day = new Date(this.#clock.wall()).toISOString().slice(0, 10);
    days[day] = { ...today };
    add(days[day], this.#reserved, 1);
    if (this.#calls === undefined) return { days };
    // As of now: the steady clock means nothing to the next process.
    return {
      calls: this.#calls,
      at: this.#clock.wall() - (this.#clock.steady() - this.#callsAt),
      days,
    };
  }

  #callsLeft(perMinute: number): number {
    const now = this.#clock.steady();
    const before = this.#calls ?? perMinute;
    const since = ((now - this.#callsAt) * perMinute) / MINUTE;
    this.#callsAt = now;
    this.#calls = Math.min(perMinute, before + since);
    return this.#calls;
  }

  #secondsLeftOfDay(): number {
    return Math.ceil((DAY - (this.#clock.wall() % DAY)) / 1000);
  }
}

function add(to: Use, what: Readonly<Use>, times: 1 | -1): void {
  to.bytes += times * what.bytes;
  to.tokens += times * what.tokens;
  to.microdollars += times * what.microdollars;
}
