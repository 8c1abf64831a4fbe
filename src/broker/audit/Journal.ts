import { renameSync, rmSync } from "node:fs";
import { LineFile } from "./LineFile.ts";

/** Beyond this the journal is written anew with only what is still open. */
const LARGE = 256 * 1024;

/** A call that has begun, as its journal line holds it: JSON with at least `id`. */
export interface JournalEntry {
  readonly id: string;
  readonly line: string;
}

/**
 * The beginnings of calls, each written before anything of it is forwarded. It says nothing about
 * ends: that a call has ended is known from its line in the audit file, so one write ends a call and
 * no crash between two writes can make two records of one call. The first line says how long the
 * audit file was when this journal began: ends of its calls are all after that.
 */
export class Journal {
  readonly #path: string;
  #file: LineFile;

  private constructor(path: string, file: LineFile) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Opens the journal beside an audit file.
   *
   * @returns it, with the entries whose calls have no line in the audit file.
   * @throws NodeJS.ErrnoException when it can't be opened or written.
   */
  static open(
    path: string,
    audit: LineFile,
  ): { journal: Journal; unfinished: readonly JournalEntry[] } {
    const file = new LineFile(path);
    const begun = new Map<string, JournalEntry>();
    let offset = 0;
    file.read(0, (line) => {
      const entry = parse(line);
      if (typeof entry["offset"] === "number") offset = entry["offset"];
      else if (typeof entry["id"] === "string") begun.set(entry["id"], { id: entry["id"], line });
    });
    if (begun.size > 0) {
      audit.read(offset, (line) => {
        const { id } = parse(line);
        if (typeof id === "string") begun.delete(id);
      });
    }
    if (file.size === 0) file.append(JSON.stringify({ offset: audit.size }));
    return { journal: new Journal(path, file), unfinished: [...begun.values()] };
  }

  /** @throws NodeJS.ErrnoException from write(2): then the call must not be made. */
  begin(entry: JournalEntry): void {
    this.#file.append(entry.line);
  }

  /** Starts over when the journal has grown large. The old one stays in force if this fails. */
  compact(open: () => Iterable<JournalEntry>, auditSize: number, always = false): void {
    if (!always && this.#file.size < LARGE) return;
    const next = `${this.#path}.new`;
    rmSync(next, { force: true });
    const file = new LineFile(next);
    try {
      file.append(JSON.stringify({ offset: auditSize }));
      for (const entry of open()) file.append(entry.line);
      renameSync(next, this.#path);
    } catch (error) {
      file.close();
      throw error;
    }
    this.#file.close();
    this.#file = file;
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
