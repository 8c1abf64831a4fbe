import { randomUUID } from "node:crypto";
import type { Ask, FromBroker, ToBroker } from "../protocol.ts";
import { refuse, type Refusal } from "../Refusal.ts";
import type { Clock } from "./Meter.ts";

/** What the owner is to be asked. */
export interface Question extends Omit<Ask, "id" | "since" | "until"> {
  /** Calls with the same one wait for one answer. */
  readonly identity: string;
  /** Doing it twice is more than once: a single yes is for one of those that wait only. */
  readonly single: boolean;
}

interface Waiting {
  readonly question: Question;
  readonly ask: Ask;
  readonly timer: NodeJS.Timeout;
  /** Those that wait, the longest first. */
  readonly calls: Set<WaitingCall>;
}

interface WaitingCall {
  /** What it waits for; another one after a yes that was for somebody else. */
  at: Waiting;
  end(verdict: Refusal | undefined): void;
}

type Answer = Extract<ToBroker, { type: "answer" }>;

/** The owner isn't asked more than this at once for one bot, and no more of its calls wait for an answer. */
const MOST_ASKS = 8;
const MOST_CALLS = 32;
/** A bot to which so many asks in a row of this many milliseconds brought no yes may ask no more for a while. */
const MOST_IN_VAIN = 16;
const IN_VAIN_MS = 10 * 60_000;
const HOUR = 3_600_000;
const MOST_REMEMBERED = 1024;

/** Calls that wait for the owner's word. No answer in time is no. */
export class Asks {
  readonly #send: (message: FromBroker) => void;
  readonly #clock: Clock;
  /** How long a call waits, from now on. */
  waitMs = 5 * 60_000;
  readonly #byId = new Map<string, Waiting>();
  readonly #byIdentity = new Map<string, Waiting>();
  /** By bot: when asks ended without a yes, the oldest first; steady time. */
  readonly #inVain = new Map<string, number[]>();
  /** Answers for an hour, by what they are for. */
  readonly #hours = new Map<string, { verdict: Answer["verdict"]; wall: number; steady: number }>();

  constructor(send: (message: FromBroker) => void, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
  }

  /** `undefined`: it may be done. */
  async wait(question: Question, gone: AbortSignal): Promise<Refusal | undefined> {
    const remembered = this.#remembered(question);
    if (remembered !== undefined)
      return remembered === "allow" ? undefined : refuse("not-approved");
    if (gone.aborted) return refuse("not-approved");
    return new Promise((resolve) => {
      const waiting = this.#byIdentity.get(question.identity) ?? this.#ask(question);
      if (waiting === undefined || this.#callsOf(question.bot) >= MOST_CALLS) {
        resolve(refuse("too-many-asks", { retryAfter: 60 }));
        return;
      }
      const leave = (): void => {
        call.end(refuse("not-approved"));
        if (call.at.calls.size === 0) this.#settle(call.at);
      };
      const call: WaitingCall = {
        at: waiting,
        end: (verdict) => {
          call.at.calls.delete(call);
          gone.removeEventListener("abort", leave);
          resolve(verdict);
        },
      };
      waiting.calls.add(call);
      gone.addEventListener("abort", leave);
    });
  }

  /** The owner's word. One on an ask that waits no more changes nothing. */
  answer({ id, verdict, scope }: Answer): void {
    const waiting = this.#byId.get(id);
    if (waiting === undefined) return;
    const { question } = waiting;
    if (scope === "hour") this.#remember(question, verdict);
    const calls = [...waiting.calls];
    this.#settle(waiting, verdict === "allow");
    const [first, ...others] = calls;
    if (verdict === "deny" || scope === "hour" || !question.single) {
      for (const call of calls) call.end(verdict === "allow" ? undefined : refuse("not-approved"));
      return;
    }
    first?.end(undefined);
    // Once is once: the owner is asked again for those that did not have it.
    const again = others.length === 0 ? undefined : this.#ask(question);
    for (const call of others) {
      if (again === undefined) call.end(refuse("too-many-asks", { retryAfter: 60 }));
      else {
        call.at = again;
        again.calls.add(call);
      }
    }
  }

  /** Nobody can answer any more. */
  close(): void {
    for (const waiting of this.#byId.values()) this.#refuseAll(waiting);
  }

  #callsOf(bot: string): number {
    let count = 0;
    for (const { ask, calls } of this.#byId.values()) if (ask.bot === bot) count += calls.size;
    return count;
  }

  /** Asking again and again until a tired owner says yes must not work. */
  #asksInVain(bot: string): boolean {
    const since = this.#clock.steady() - IN_VAIN_MS;
    const recent = (this.#inVain.get(bot) ?? []).filter((time) => time > since);
    this.#inVain.set(bot, recent);
    return recent.length >= MOST_IN_VAIN;
  }

  #ask(question: Question): Waiting | undefined {
    if (this.#asksInVain(question.bot)) return undefined;
    const pending = [...this.#byId.values()].filter(({ ask }) => ask.bot === question.bot);
    if (pending.length >= MOST_ASKS) return undefined;
    const now = this.#clock.wall();
    const { identity: _identity, single: _single, ...shown } = question;
    const ask: Ask = {
      ...shown,
      id: randomUUID(),
      since: new Date(now).toISOString(),
      until: new Date(now + this.waitMs).toISOString(),
    };
    const timer = setTimeout(() => {
      this.#refuseAll(waiting);
    }, this.waitMs);
    const waiting: Waiting = { question, ask, timer, calls: new Set() };
    this.#byId.set(ask.id, waiting);
    this.#byIdentity.set(question.identity, waiting);
    this.#send({ type: "ask", ask });
    return waiting;
  }

  #refuseAll(waiting: Waiting): void {
    this.#settle(waiting);
    for (const call of waiting.calls) call.end(refuse("not-approved"));
  }

  #settle({ ask, question, timer }: Waiting, allowed = false): void {
    clearTimeout(timer);
    if (!this.#byId.delete(ask.id)) return;
    if (allowed) this.#inVain.delete(ask.bot);
    else this.#inVain.set(ask.bot, [...(this.#inVain.get(ask.bot) ?? []), this.#clock.steady()]);
    this.#byIdentity.delete(question.identity);
    this.#send({ type: "ask-settled", id: ask.id });
  }

  #remember(question: Question, verdict: Answer["verdict"]): void {
    const [oldest] = this.#hours.keys();
    if (this.#hours.size >= MOST_REMEMBERED && oldest !== undefined) this.#hours.delete(oldest);
    this.#hours.set(alike(question), {
      verdict,
      wall: this.#clock.wall(),
      steady: this.#clock.steady(),
    });
  }

  /** Past an hour by either clock is past: one may have been set, the other sleeps with the machine. */
  #remembered(question: Question): Answer["verdict"] | undefined {
    const key = alike(question);
    const found = this.#hours.get(key);
    if (found === undefined) return undefined;
    const wall = this.#clock.wall() - found.wall;
    if (wall >= 0 && wall < HOUR && this.#clock.steady() - found.steady < HOUR)
      return found.verdict;
    this.#hours.delete(key);
    return undefined;
  }
}

/** What an answer for an hour is for: bot, grant, host and rule; of links also where they lead. */
function alike({ bot, grant = "", host, rule, detail = "" }: Question): string {
  return JSON.stringify([bot, grant, host, rule, rule === "link" ? detail : ""]);
}
