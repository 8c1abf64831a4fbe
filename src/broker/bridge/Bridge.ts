import { randomUUID } from "node:crypto";
import { BridgeLog, type BridgeEvent, type BridgeMessage } from "./BridgeLog.ts";

/** Why a message isn't taken. */
export type BridgeRefusal = "queue-full" | "rate-limit" | "loop" | "unwritable";

/** For one recipient; the oldest are never dropped for newer ones. */
const MOST_WAITING = 1000;
const MOST_WAITING_BYTES = 8 * 1024 * 1024;
/** Messages of one sender in a minute. */
const MOST_PER_MINUTE = 30;
const MINUTE_MS = 60_000;
/** How many messages may answer each other before somebody has to be quiet. */
const MOST_HOPS = 16;
/** What a bot writes for so long after it has read something may be an answer to it. */
const ANSWERS_MS = 10 * MINUTE_MS;
/** Lines of the file beyond what is waiting before it begins anew. */
const MOST_SPENT = 2000;

interface Reading {
  readonly hops: number;
  readonly at: number;
}

export interface BridgeClock {
  now(): number;
}

/**
 * Messages between bots, kept until the recipient says that it has them: each comes at least once,
 * however often the broker is killed. Who sends is said by whose socket it came by; who may is the
 * grants' business (`handlers/bridge`).
 *
 * Two bots that answer each other would never stop by themselves. Every message has one hop more than
 * anything its sender has read in the last ten minutes, whoever it goes to, and beyond 16 none is
 * taken until the sender has read nothing for ten minutes. A bot can't lower it: nothing it says counts.
 */
export class Bridge {
  readonly #warn: (warning: string | undefined) => void;
  readonly #clock: BridgeClock;
  #log: BridgeLog | undefined;
  /** By recipient, oldest first. */
  #waiting = new Map<string, BridgeMessage[]>();
  #read = new Map<string, Reading>();
  readonly #sent = new Map<string, number[]>();
  readonly #listeners = new Map<string, Set<() => void>>();
  #spent = 0;

  /** @param warn is told what is wrong, and `undefined` when it is right again. */
  constructor(warn: (warning: string | undefined) => void, clock: BridgeClock = Date) {
    let warned = false;
    this.#warn = (warning) => {
      if (warning === undefined && !warned) return;
      warned = warning !== undefined;
      warn(warning);
    };
    this.#clock = clock;
  }

  /** From now on keeps messages in this file, beginning with what it holds; the same file again changes nothing. */
  open(path: string): void {
    if (this.#log?.path === path) return;
    this.#log?.close();
    this.#log = new BridgeLog(path);
    this.#waiting = new Map();
    this.#read = new Map();
    try {
      const { events, damaged } = this.#log.read();
      for (const event of events) this.#apply(event);
      this.#compact();
      this.#warn(
        damaged === 0 ? undefined : `${damaged} messages between bots were damaged and are lost`,
      );
    } catch {
      this.#warn("messages between bots can't be kept, so none is taken");
    }
  }

  close(): void {
    this.#log?.close();
    this.#log = undefined;
  }

  /** Takes a message in; its id once it is on the disk. The same `key` of the same sender again gives the same id. */
  async send(message: {
    readonly from: string;
    readonly to: string;
    readonly text: string;
    readonly key?: string;
  }): Promise<{ readonly id: string } | { readonly refused: BridgeRefusal }> {
    const { from, to, text, key } = message;
    const queue = this.#waiting.get(to) ?? [];
    const same = queue.find((each) => key !== undefined && each.from === from && each.key === key);
    if (same !== undefined) return { id: same.id };
    const now = this.#clock.now();
    const recent = (this.#sent.get(from) ?? []).filter((at) => at > now - MINUTE_MS);
    if (recent.length >= MOST_PER_MINUTE) return { refused: "rate-limit" };
    const bytes = queue.reduce((sum, each) => sum + Buffer.byteLength(each.text), 0);
    if (queue.length >= MOST_WAITING || bytes + Buffer.byteLength(text) > MOST_WAITING_BYTES)
      return { refused: "queue-full" };
    const read = this.#read.get(from);
    const hops = 1 + (read !== undefined && read.at > now - ANSWERS_MS ? read.hops : 0);
    if (hops > MOST_HOPS) return { refused: "loop" };
    this.#sent.set(from, [...recent, now]);
    const kept: BridgeMessage = {
      id: randomUUID(),
      from,
      to,
      text,
      at: new Date(now).toISOString(),
      hops,
      ...(key === undefined ? {} : { key }),
    };
    // Waiting already, so that two of the same key at once are one; told only when it is kept.
    this.#apply({ event: "sent", ...kept });
    if (!(await this.#append({ event: "sent", ...kept }))) {
      this.#remove(kept.id);
      return { refused: "unwritable" };
    }
    for (const listener of this.#listeners.get(to) ?? []) listener();
    return { id: kept.id };
  }

  /** What waits for a bot, oldest first; it goes on waiting until it is acknowledged. */
  async receive(bot: string, most: number): Promise<readonly BridgeMessage[]> {
    const messages = (this.#waiting.get(bot) ?? []).slice(0, most);
    const hops = Math.max(0, ...messages.map((each) => each.hops));
    if (messages.length === 0) return [];
    const before = this.#read.get(bot);
    const now = this.#clock.now();
    const fresh = before !== undefined && before.at > now - ANSWERS_MS ? before.hops : 0;
    const reading: BridgeEvent = {
      event: "read",
      bot,
      hops: Math.max(hops, fresh),
      at: new Date(now).toISOString(),
    };
    this.#apply(reading);
    await this.#append(reading);
    return messages;
  }

  /** Resolves when something waits for a bot, or `signal` aborts. */
  arrival(bot: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted || (this.#waiting.get(bot) ?? []).length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const listeners = this.#listeners.get(bot) ?? new Set();
      this.#listeners.set(bot, listeners);
      const done = (): void => {
        listeners.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      listeners.add(done);
      signal.addEventListener("abort", done);
    });
  }

  /** Lets go of messages that a bot has; how many of these ids were waiting for it. */
  async acknowledge(bot: string, ids: readonly string[]): Promise<number> {
    const waiting = this.#waiting.get(bot) ?? [];
    const known = waiting.filter(({ id }) => ids.includes(id));
    const kept = await Promise.all(
      known.map(({ id }) => this.#append({ event: "acknowledged", id })),
    );
    const gone = known.filter((_, index) => kept[index] === true);
    for (const { id } of gone) this.#apply({ event: "acknowledged", id });
    if (this.#spent > MOST_SPENT) this.#compactQuietly();
    return gone.length;
  }

  waiting(bot: string): number {
    return this.#waiting.get(bot)?.length ?? 0;
  }

  async #append(event: BridgeEvent): Promise<boolean> {
    try {
      await this.#log?.append(event);
      return this.#log !== undefined;
    } catch {
      this.#warn("messages between bots can't be kept, so none is taken");
      return false;
    }
  }

  #apply(event: BridgeEvent): void {
    switch (event.event) {
      case "sent": {
        const { event: _kind, ...message } = event;
        const queue = this.#waiting.get(message.to) ?? [];
        queue.push(message);
        this.#waiting.set(message.to, queue);
        return;
      }
      case "acknowledged":
        this.#spent += 2;
        this.#remove(event.id);
        return;
      case "read":
        this.#spent += 1;
        this.#read.set(event.bot, { hops: event.hops, at: Date.parse(event.at) });
        return;
      default:
        event satisfies never;
    }
  }

  #remove(id: string): void {
    for (const [bot, queue] of this.#waiting) {
      const rest = queue.filter((each) => each.id !== id);
      if (rest.length !== queue.length) this.#waiting.set(bot, rest);
    }
  }

  #compactQuietly(): void {
    try {
      this.#compact();
    } catch {
      this.#warn("messages between bots can't be kept, so none is taken");
    }
  }

  #compact(): void {
    this.#spent = 0;
    this.#log?.begin([
      ...[...this.#waiting.values()]
        .flat()
        .map((message): BridgeEvent => ({ event: "sent", ...message })),
      ...[...this.#read].map(([bot, { hops, at }]): BridgeEvent => ({
        event: "read",
        bot,
        hops,
        at: new Date(at).toISOString(),
      })),
    ]);
  }
}
