import { recordNames, type RecordNames } from "../recordFiles.ts";
import { openRecord, readLines } from "./readLines.ts";

/** The end of a record as it grows, across rotations. */
export class RecordTail {
  readonly #names: RecordNames;
  readonly #wanted: (line: string) => boolean;
  /** Number of the last line that was seen. */
  #seq = 0;
  /** In the file that begins with this line, everything up to this byte was seen. */
  #place = { first: 0, bytes: 0 };

  constructor(file: string, wanted: (line: string) => boolean) {
    this.#names = recordNames(file);
    this.#wanted = wanted;
  }

  /**
   * The last lines that are there now.
   *
   * @throws RecordError `no-record`.
   */
  async last(count: number): Promise<string[]> {
    let found: string[] = [];
    using files = openRecord(this.#names);
    for (const file of files.toReversed()) {
      const here: string[] = [];
      let bytes = 0;
      let first = 0;
      let seq = 0;
      for await (const { lines } of readLines(file)) {
        for (const line of lines) {
          bytes += line.length + 1;
          seq = numberOf(line) ?? seq;
          first ||= seq;
          here.push(line);
        }
        // Kept small; what is wanted may be rare.
        if (here.length > 100_000) here.splice(0, here.length, ...here.filter(this.#wanted));
      }
      if (this.#seq === 0 && seq > 0) {
        this.#seq = seq;
        this.#place = { first, bytes };
      }
      for (let at = here.length - 1; at >= 0 && found.length < count; at -= 1) {
        const line = here[at];
        if (line !== undefined && this.#wanted(line)) found.push(line);
      }
      if (found.length >= count) break;
    }
    found = found.slice(0, count);
    return found.toReversed();
  }

  /** Shows what has come since. */
  async more(show: (line: string) => void): Promise<void> {
    using files = openRecord(this.#names);
    for (const file of files) {
      // A file put aside ends where the next one begins.
      const next = files[files.indexOf(file) + 1];
      if (next?.first !== undefined && next.first <= this.#seq + 1) continue;
      const known = file.current && this.#place.bytes > 0 ? this.#place.bytes : 0;
      const sure = known > 0 && (await this.#continues(file, known));
      let bytes = sure ? known : 0;
      let first = sure ? this.#place.first : 0;
      for await (const { lines } of readLines(file, bytes)) {
        for (const line of lines) {
          bytes += line.length + 1;
          const seq = numberOf(line);
          if (seq === undefined) continue;
          first ||= seq;
          if (seq <= this.#seq) continue;
          this.#seq = seq;
          if (this.#wanted(line)) show(line);
        }
      }
      if (file.current) this.#place = { first, bytes };
    }
  }

  /** Whether the current file is still the one in which we were. */
  async #continues(file: Parameters<typeof readLines>[0], bytes: number): Promise<boolean> {
    for await (const { lines } of readLines(file, 0)) {
      const seq = numberOf(lines[0] ?? "");
      return seq === this.#place.first && bytes > 0;
    }
    return false;
  }
}

function numberOf(line: string): number | undefined {
  const seq = /^\{"seq":(\d{1,15}),/.exec(line)?.[1];
  return seq === undefined ? undefined : Number(seq);
}
