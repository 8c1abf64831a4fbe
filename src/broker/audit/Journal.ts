import { renameSync, rmSync } from "node:fs";
import { asciiJson } from "../../record/index.ts";
import type { ChainFile } from "./ChainFile.ts";
import { LineFile } from "./LineFile.ts";

/** Beyond this, and twice what it began with, the journal is written anew with only what is still open. */
const LARGE = 256 * 1024;

/** A call that has begun: `text` is the members of a JSON object, `id` among them. */
export interface JournalEntry {
  readonly id: string;
  readonly text: string;
}

/**
 * The beginnings of calls, each written before anything of it is forwarded. It says nothing about
 * ends: that a call has ended is known from its line in the record, so one write ends a call and
 * no crash between two writes can make two records of one call. The first line says how far
 * the record was when this journal began: ends of its calls are all after that.
 */
export class Journal {
  readonly #path: string;
  #file: LineFile;
  #large = LARGE;

  private constructor(path: string, file: LineFile) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Opens the journal beside a record.
   *
   * @returns it, with the entries whose calls have no line in the record.
   * @throws NodeJS.ErrnoException when it can't be opened or written.
   */
  static open(
    path: string,
    record: ChainFile,
  ): { journal: Journal; unfinished: readonly JournalEntry[] } {
    const file = new LineFile(path);
    const begun = new Map<string, JournalEntry>();
    let offset = 0;
    file.read(0, (line) => {
      const entry = parse(line);
      if (typeof entry["offset"] === "number") offset = entry["offset"];
      else if (typeof entry["id"] === "string")
        begun.set(entry["id"], { id: entry["id"], text: asciiJson(entry).slice(1, -1) });
    });
    if (begun.size > 0) {
      record.read(offset, (line) => {
        const id = /^\{"seq":\d+,"id":"([^"]+)"/.exec(line)?.[1];
        if (id !== undefined) begun.delete(id);
      });
    }
    return { journal: new Journal(path, file), unfinished: [...begun.values()] };
  }

  get fd(): number {
    return this.#file.fd;
  }

  /** Whether it has grown so large that it should be compacted. */
  get large(): boolean {
    return this.#file.size >= this.#large;
  }

  /** @throws NodeJS.ErrnoException from write(2): then the call must not be made. */
  begin(entry: JournalEntry): void {
    this.#file.append(`{${entry.text}}\n`);
  }

  /**
   * Starts over with only what is open. The old one stays in force if this fails.
   *
   * @param offset byte of the record after which the ends of these calls will be.
   * @returns the old file, to be closed when nobody syncs it any more.
   */
  compact(open: readonly JournalEntry[], offset: number): LineFile {
    const next = `${this.#path}.new`;
    rmSync(next, { force: true });
    const file = new LineFile(next);
    try {
      file.append(`{"offset":${offset}}\n${open.map(({ text }) => `{${text}}\n`).join("")}`);
      renameSync(next, this.#path);
    } catch (error) {
      file.close();
      throw error;
    }
    const before = this.#file;
    this.#file = file;
    this.#large = Math.max(LARGE, 2 * file.size);
    return before;
  }

  close(): void {
    this.#file.close();
  }
}

/** A line that isn't a JSON object counts as empty. */
function parse(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
