import { randomUUID } from "node:crypto";
import {
  asciiJson,
  LONGEST_LINE,
  publicKeyOf,
  recordNames,
  signerOf,
  type RecordNames,
} from "../../record/index.ts";
import { BrokerError } from "../BrokerError.ts";
import type { AuditEnd, AuditRecord, AuditStart, Outcome } from "./AuditRecord.ts";
import { ChainFile } from "./ChainFile.ts";
import { compressRotated } from "./compressRotated.ts";
import { DiskSync } from "./DiskSync.ts";
import { Journal, type JournalEntry } from "./Journal.ts";

/** A call that runs. */
export interface OpenCall {
  readonly id: string;
  /** Writes the one record; a second call does nothing. */
  end(end: AuditEnd, more?: Partial<AuditStart>): void;
}

export interface AuditOptions {
  /** Bytes after which the file is put aside and compressed. */
  readonly rotateBytes?: number | undefined;
  /** PEM of the Ed25519 key for checkpoints; without it there are none. */
  readonly signingKey?: string | undefined;
  /** Is told of every record, which `read` gives, for metrics; must not throw. */
  readonly onRecord?: ((read: () => AuditRecord) => void) | undefined;
}

interface Running {
  readonly entry: JournalEntry;
  readonly call: OpenCall;
}

/** More refusals than this are not kept one by one while the disk is full. */
const MOST_PENDING = 1000;
/** Ends that are written in one go. */
const MOST_TOGETHER = 64;
const ROTATE_BYTES = 64 * 1024 * 1024;
/** After a rotation that failed, this much more is written before the next attempt. */
const ROTATE_AGAIN_BYTES = 1024 * 1024;
const CHECKPOINT_LINES = 1000;
const CHECKPOINT_MS = 10 * 60_000;
/** A start longer than this has its texts cut. */
const LONGEST_START = LONGEST_LINE / 4;
const LONGEST_TEXT = 512;
/** How every start's text begins when its id and time are empty. */
const EMPTY_START = '"id":"","time":""';

/**
 * The record: one JSONL line per call, on every way out (invariant 5), each chained to the one before.
 *
 * `begin` before anything is forwarded, `end` once; what isn't forwarded needs only `record`. When
 * the disk takes no more, ends that can't be written wait in memory, and until they are written no
 * call may begin. A call whose end never came to be written gets `broker-crash` at the next start.
 */
export class Audit {
  readonly #chain: ChainFile;
  readonly #journal: Journal;
  readonly #sync: DiskSync;
  readonly #names: RecordNames;
  readonly #running = new Map<string, Running>();
  readonly #scrub: (text: string) => string;
  readonly #onRecord: AuditOptions["onRecord"];
  readonly path: string;
  /** By start: its text without id and time. */
  readonly #frozen = new WeakMap<AuditStart, string>();
  #rotateAt: number;
  #rotateBytes: number;
  #checkpointed = Date.now();
  #pending: string[] = [];
  #flushing: NodeJS.Immediate | undefined;
  /** What is pending could not be written. */
  #stuck = false;
  /** Refusals beyond those, by their start and code. */
  readonly #crowd = new Map<string, { start: AuditStart; end: AuditEnd; count: number }>();
  #syncFailed = false;
  #compressing: Promise<void> | undefined;

  /**
   * Opens (or makes, mode 0600) the record and, beside it, its journal, and writes the records of calls that the last
   * broker left open.
   *
   * @param scrub takes whatever must not be recorded out of a text.
   * @throws BrokerError `audit-unwritable`.
   */
  constructor(path: string, scrub: (text: string) => string, options: AuditOptions = {}) {
    this.path = path;
    this.#scrub = scrub;
    this.#onRecord = options.onRecord;
    this.#rotateBytes = options.rotateBytes ?? ROTATE_BYTES;
    this.#rotateAt = this.#rotateBytes;
    this.#names = recordNames(path);
    try {
      const { signingKey: pem } = options;
      this.#chain = new ChainFile(
        this.#names,
        pem === undefined ? undefined : signerOf(pem),
        pem === undefined ? undefined : publicKeyOf(pem),
      );
      const { journal, unfinished } = Journal.open(this.#names.journal, this.#chain);
      this.#journal = journal;
      if (unfinished.length > 0) this.#chain.append(unfinished.map(crashText));
      journal.compact([], this.#chain.size).close();
      this.#sync = new DiskSync(
        this.#names,
        () => ({ fds: [this.#chain.fd, this.#journal.fd], head: this.#chain.headText() }),
        (error) => {
          this.#synced(error);
        },
      );
      // A head from the first moment on: from now on a record without one has lost it.
      this.#sync.syncNow();
    } catch (error) {
      throw new BrokerError("audit-unwritable", `the audit file "${path}" can't be written`, {
        cause: error,
        hint: "check its folder's owner and the free space of its disk",
      });
    }
    this.#compress();
  }

  /**
   * Notes that a call begins.
   *
   * @param began milliseconds since the epoch, when the call has come in some time before.
   * @returns `undefined` when that can't be written: the call must then be refused.
   */
  begin(start: AuditStart, began: number = Date.now()): OpenCall | undefined {
    const id = randomUUID();
    const time = new Date(began).toISOString();
    const entry = { id, text: this.#startText(id, time, start) };
    if ((this.#stuck && !this.#flush()) || this.#syncFailed) return undefined;
    try {
      // What has ended stands in the record before the journal forgets that it began.
      if (this.#journal.large && this.#flush()) this.#compactJournal(this.#chain.size);
      this.#journal.begin(entry);
    } catch {
      return undefined;
    }
    this.#sync.touch();
    const call: OpenCall = {
      id,
      end: (end, more) => {
        if (!this.#running.delete(id)) return;
        const durationMs = Date.now() - began;
        const text =
          more === undefined ? entry.text : this.#startText(id, time, { ...start, ...more });
        this.#pending.push(`${text},${this.#endText("allow", end, durationMs)}`);
        // Ends of the same moment are one write. Should the broker be killed before it, these calls
        // are still open in the journal.
        if (this.#pending.length >= MOST_TOGETHER) this.#flush();
        else this.#flushing ??= setImmediate(() => this.#flush());
        this.#onRecord?.(() => ({
          time,
          id,
          ...start,
          ...more,
          decision: "allow",
          ...end,
          durationMs,
        }));
      },
    };
    this.#running.set(id, { entry, call });
    return call;
  }

  /** Records what was refused, in one go. `false` when it could only be kept in memory. */
  record(start: AuditStart, end: AuditEnd, began: number = Date.now()): boolean {
    const id = randomUUID();
    const time = new Date(began).toISOString();
    const durationMs = Date.now() - began;
    this.#onRecord?.(() => ({ time, id, ...start, decision: "refuse", ...end, durationMs }));
    if (this.#pending.length >= MOST_PENDING) {
      this.#joinCrowd(start, end);
      return this.#flush();
    }
    this.#pending.push(
      `${this.#startText(id, time, start)},${this.#endText("refuse", end, durationMs)}`,
    );
    return this.#flush();
  }

  /** Ends everything that runs, synchronously: for a process about to die. */
  endAll(outcome: Outcome): void {
    for (const { call } of this.#running.values()) call.end({ outcome });
    this.#flush();
  }

  get openCalls(): number {
    return this.#running.size;
  }

  /** Writes and syncs what there is, with a last checkpoint. */
  close(): void {
    this.#flush();
    try {
      if (this.#chain.sinceCheckpoint > 0) this.#chain.checkpoint("stop");
      this.#sync.close();
    } catch {
      // The disk is full or fails: what is missing shows at the next start.
    }
    // A group that is being synced right now still needs the files.
    this.#sync.whenIdle(() => {
      this.#journal.close();
      this.#chain.close();
    });
  }

  /** Sets the size after which a file is put aside, from now on. */
  rotateAfter(bytes: number | undefined): void {
    this.#rotateBytes = bytes ?? ROTATE_BYTES;
    this.#rotateAt = this.#rotateBytes;
  }

  /** Until nothing is being compressed. */
  async compressed(): Promise<void> {
    await this.#compressing;
  }

  /** A start that is frozen is said by many calls alike: only its id and time are other each time. */
  #startText(id: string, time: string, start: AuditStart): string {
    if (!Object.isFrozen(start)) return this.#composeStart(id, time, start);
    let rest = this.#frozen.get(start);
    if (rest === undefined) {
      rest = this.#composeStart("", "", start).slice(EMPTY_START.length);
      this.#frozen.set(start, rest);
    }
    return `"id":"${id}","time":"${time}"${rest}`;
  }

  #composeStart(id: string, time: string, start: AuditStart): string {
    let text = this.#scrub(asciiJson({ id, time, ...start }));
    if (text.length > LONGEST_START) {
      const cut = Object.entries(start).map(([name, value]: [string, unknown]) => [
        name,
        typeof value === "string" && value.length > LONGEST_TEXT
          ? `${value.slice(0, LONGEST_TEXT)}...`
          : value,
      ]);
      text = this.#scrub(asciiJson({ id, time, ...(Object.fromEntries(cut) as object) }));
    }
    return text.slice(1, -1);
  }

  #endText(decision: "allow" | "refuse", end: AuditEnd, durationMs: number): string {
    const { code } = end;
    const text = asciiJson({ decision, ...end, durationMs }).slice(1, -1);
    // Codes are words of ours; should another ever get here, it is treated like what a bot wrote.
    return code === undefined || /^[a-z0-9-]{1,64}$/.test(code)
      ? text
      : this.#scrub(asciiJson({ decision, ...end, code: code.slice(0, 64), durationMs })).slice(
          1,
          -1,
        );
  }

  #flush(): boolean {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    if (this.#pending.length === 0) return true;
    this.#stuck = true;
    try {
      // One by one when together there is no room for them.
      if (!this.#tryAppend(this.#pending)) {
        while (this.#pending.length > 0) {
          this.#chain.append(this.#pending.slice(0, 1));
          this.#pending.shift();
        }
      }
      this.#pending = [];
      this.#dissolveCrowd();
    } catch {
      // Told by the result; the lines that are left are tried again with the next call.
      return false;
    }
    this.#stuck = false;
    this.#sync.touch();
    this.#keepUp();
    return true;
  }

  #tryAppend(texts: readonly string[]): boolean {
    try {
      this.#chain.append(texts);
      return true;
    } catch (error) {
      if (texts.length === 1) throw error;
      return false;
    }
  }

  /** Checkpoints and rotation, when they are due. A failure is no call's: it is tried again later. */
  #keepUp(): void {
    const { sinceCheckpoint } = this.#chain;
    if (this.#chain.size < this.#rotateAt && sinceCheckpoint < CHECKPOINT_LINES) return;
    try {
      if (this.#chain.size >= this.#rotateAt) this.#rotate();
      else this.#checkpoint("lines");
    } catch {
      this.#rotateAt = this.#chain.size + ROTATE_AGAIN_BYTES;
    }
  }

  #checkpoint(reason: "lines" | "time"): void {
    this.#chain.checkpoint(reason);
    this.#checkpointed = Date.now();
  }

  #rotate(): void {
    // The journal first: from now on it speaks of ends in the next file only, which begins at byte 0.
    this.#compactJournal(0);
    const { file } = this.#chain.rotate();
    this.#rotateAt = this.#rotateBytes;
    this.#checkpointed = Date.now();
    this.#sync.retire(file, () => {
      this.#compress();
    });
  }

  #compactJournal(offset: number): void {
    const open = [...this.#running.values()].map(({ entry }) => entry);
    this.#sync.retire(this.#journal.compact(open, offset));
  }

  #compress(): void {
    this.#compressing = (this.#compressing ?? Promise.resolve()).then(() =>
      compressRotated(this.#names).catch(() => undefined),
    );
  }

  /** After a failed fsync nobody knows what is on the disk: no call begins until one succeeds. */
  #synced(error: Error | undefined): void {
    this.#syncFailed = error !== undefined;
    if (error !== undefined) {
      this.#sync.touch();
    } else if (this.#chain.sinceCheckpoint > 0 && Date.now() - this.#checkpointed > CHECKPOINT_MS) {
      try {
        this.#checkpoint("time");
        this.#sync.touch();
      } catch {
        // The next group tries again.
      }
    }
  }

  #joinCrowd(start: AuditStart, end: AuditEnd): void {
    const { bot, kind } = start;
    const { outcome, code } = end;
    const alike = JSON.stringify([bot, kind, outcome, code]);
    const before = this.#crowd.get(alike)?.count ?? 0;
    this.#crowd.set(alike, {
      start: { bot, kind },
      end: { outcome, ...(code === undefined ? {} : { code }) },
      count: before + (end.count ?? 1),
    });
  }

  #dissolveCrowd(): void {
    if (this.#crowd.size === 0) return;
    const time = new Date().toISOString();
    const texts = [...this.#crowd.values()].map(
      ({ start, end, count }) =>
        `${this.#startText(randomUUID(), time, start)},${this.#endText("refuse", { ...end, count }, 0)}`,
    );
    this.#chain.append(texts);
    this.#crowd.clear();
  }
}

/** @param entry as its journal line had it. */
function crashText({ text }: JournalEntry): string {
  return `${text},"decision":"allow","outcome":"broker-crash","durationMs":0`;
}
