import { randomUUID } from "node:crypto";
import { BrokerError } from "../BrokerError.ts";
import type { AuditEnd, AuditRecord, AuditStart, Outcome } from "./AuditRecord.ts";
import { Journal, type JournalEntry } from "./Journal.ts";
import { LineFile } from "./LineFile.ts";

/** A call that runs. */
export interface OpenCall {
  readonly id: string;
  /** Writes the one record; a second call does nothing. */
  end(end: AuditEnd, more?: Partial<AuditStart>): void;
}

interface Running {
  readonly entry: JournalEntry;
  readonly call: OpenCall;
}

/** More lines than this are not kept in memory while the disk is full. */
const MOST_PENDING = 1000;

/**
 * The record: one JSONL line per call, on every way out (invariant 5).
 *
 * `begin` before anything is forwarded, `end` once; what isn't forwarded needs only `record`. When
 * the disk takes no more, ends that can't be written wait in memory, and until they are written no
 * call may begin. A call whose end never came to be written gets `broker-crash` at the next start.
 */
export class Audit {
  readonly #file: LineFile;
  readonly #journal: Journal;
  readonly #running = new Map<string, Running>();
  readonly #scrub: (text: string) => string;
  readonly path: string;
  #pending: string[] = [];

  /**
   * Opens (or makes, mode 0600) the audit file and, beside it, its journal, and writes the records of calls that the last
   * broker left open.
   *
   * @param scrub takes whatever must not be recorded out of a finished line.
   * @throws BrokerError `audit-unwritable`.
   */
  constructor(path: string, scrub: (text: string) => string) {
    this.path = path;
    this.#scrub = scrub;
    try {
      this.#file = new LineFile(path);
      const { journal, unfinished } = Journal.open(`${path}.journal`, this.#file);
      this.#journal = journal;
      for (const entry of unfinished) this.#file.append(crashRecord(entry.line));
      this.#journal.compact(() => [], this.#file.size, true);
    } catch (error) {
      throw new BrokerError("audit-unwritable", `the audit file "${path}" can't be written`, {
        cause: error,
        hint: "check its folder's owner and the free space of its disk",
      });
    }
  }

  /**
   * Notes that a call begins.
   *
   * @returns `undefined` when that can't be written: the call must then be refused.
   */
  begin(start: AuditStart): OpenCall | undefined {
    const id = randomUUID();
    const began = Date.now();
    const time = new Date(began).toISOString();
    const entry = { id, line: this.#scrub(JSON.stringify({ id, time, ...start })) };
    if (!this.#flush()) return undefined;
    try {
      this.#journal.compact(
        () => [...this.#running.values()].map((each) => each.entry),
        this.#file.size,
      );
      this.#journal.begin(entry);
    } catch {
      return undefined;
    }
    const call: OpenCall = {
      id,
      end: (end, more = {}) => {
        if (!this.#running.delete(id)) return;
        this.#write({
          time,
          id,
          ...start,
          ...more,
          decision: "allow",
          ...end,
          durationMs: Date.now() - began,
        });
      },
    };
    this.#running.set(id, { entry, call });
    return call;
  }

  /** Records what was refused, in one go. `false` when it could only be kept in memory. */
  record(start: AuditStart, end: AuditEnd, began: number = Date.now()): boolean {
    return this.#write({
      time: new Date(began).toISOString(),
      id: randomUUID(),
      ...start,
      decision: "refuse",
      ...end,
      durationMs: Date.now() - began,
    });
  }

  /** Ends everything that runs, synchronously: for a process about to die. */
  endAll(outcome: Outcome): void {
    for (const { call } of this.#running.values()) call.end({ outcome });
  }

  get openCalls(): number {
    return this.#running.size;
  }

  close(): void {
    this.#flush();
    this.#journal.close();
    this.#file.close();
  }

  #write(record: AuditRecord): boolean {
    if (this.#pending.length < MOST_PENDING)
      this.#pending.push(this.#scrub(JSON.stringify(record)));
    return this.#flush();
  }

  #flush(): boolean {
    let written = 0;
    try {
      for (const line of this.#pending) {
        this.#file.append(line);
        written += 1;
      }
    } catch {
      // Told by the result; the lines that are left are tried again with the next call.
    }
    this.#pending = this.#pending.slice(written);
    return this.#pending.length === 0;
  }
}

function crashRecord(line: string): string {
  const start: unknown = JSON.parse(line);
  return JSON.stringify({
    ...(start as AuditStart),
    decision: "allow",
    outcome: "broker-crash",
    durationMs: 0,
  });
}
