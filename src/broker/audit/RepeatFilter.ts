import type { Audit } from "./Audit.ts";
import type { AuditEnd, AuditStart } from "./AuditRecord.ts";

const WINDOW_MS = 60_000;
/** Different things noted per bot and window; further ones share one line. */
const MOST_KINDS = 100;

interface Repeats {
  readonly start: AuditStart;
  readonly end: AuditEnd;
  readonly began: number;
  count: number;
}

/**
 * Records refusals that cost a bot nothing to cause (DNS questions, connections nowhere) without
 * letting it fill the disk: the first of a kind at once, the others of the same minute as one line with
 * their `count`.
 */
export class RepeatFilter {
  readonly #audit: () => Audit;
  readonly #seen = new Map<string, Map<string, Repeats>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(audit: () => Audit) {
    this.#audit = audit;
  }

  note(start: AuditStart, end: AuditEnd): void {
    const kinds = this.#seen.get(start.bot) ?? new Map<string, Repeats>();
    this.#seen.set(start.bot, kinds);
    this.#timer ??= setTimeout(() => {
      this.flush();
    }, WINDOW_MS).unref();
    const full = kinds.size >= MOST_KINDS;
    const own = JSON.stringify([start.kind, start.host, end.code]);
    const shared = JSON.stringify([start.kind, null, end.code]);
    const key = kinds.has(own) || !full ? own : shared;
    const there = kinds.get(key);
    if (there !== undefined) {
      there.count += 1;
      return;
    }
    const line = key === own ? start : { ...start, host: "(others)" };
    kinds.set(key, { start: line, end, began: Date.now(), count: 0 });
    this.#audit().record(line, end);
  }

  /** Writes the counts of this window and begins the next. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const kinds of this.#seen.values()) {
      for (const { start, end, began, count } of kinds.values()) {
        if (count > 0) this.#audit().record(start, { ...end, count }, began);
      }
    }
    this.#seen.clear();
  }
}
