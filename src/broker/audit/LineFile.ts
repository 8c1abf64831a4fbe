import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";

/**
 * A file of lines of printable ASCII that only grows, each append one write(2). Lines are in the file
 * whole or not at all: what a full disk cut off is taken back, and half a line that a crash left
 * is removed on opening. Synchronous writes reach the kernel before the call goes on, so they
 * survive the process; a power cut may take what `DiskSync` has not yet synced.
 */
export class LineFile {
  readonly fd: number;
  #size: number;

  /** @throws NodeJS.ErrnoException from open(2). */
  constructor(path: string) {
    this.fd = openSync(path, "a+", 0o600);
    this.#size = fstatSync(this.fd).size;
    this.#dropHalfLine();
  }

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  /**
   * @param lines of ASCII, each with its line feed.
   * @throws NodeJS.ErrnoException from write(2), nothing of the lines being left in the file.
   */
  append(lines: string): void {
    try {
      const written = writeSync(this.fd, lines, null, "latin1");
      // Only a full disk or a signal cuts a write to a file short; the rest then says which.
      if (written < lines.length) this.#writeRest(lines, written);
    } catch (error) {
      ftruncateSync(this.fd, this.#size);
      throw error;
    }
    this.#size += lines.length;
  }

  /** Calls `each` with every line from byte `offset` on. */
  read(offset: number, each: (line: string) => void): void {
    const chunk = Buffer.alloc(256 * 1024);
    let rest = "";
    for (let at = offset > this.#size ? 0 : offset; ;) {
      const got = readSync(this.fd, chunk, 0, chunk.length, at);
      if (got === 0) break;
      at += got;
      const lines = (rest + chunk.toString("latin1", 0, got)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) each(line);
    }
  }

  /** Takes back everything after byte `size`. */
  truncate(size: number): void {
    ftruncateSync(this.fd, size);
    this.#size = size;
  }

  close(): void {
    closeSync(this.fd);
  }

  #writeRest(lines: string, from: number): void {
    for (let at = from; at < lines.length;)
      at += writeSync(this.fd, lines.slice(at), null, "latin1");
  }

  #dropHalfLine(): void {
    const chunk = Buffer.alloc(4096);
    let end = this.#size;
    while (end > 0) {
      const start = Math.max(0, end - chunk.length);
      const got = readSync(this.fd, chunk, 0, end - start, start);
      const feed = chunk.subarray(0, got).lastIndexOf(10);
      end = feed < 0 ? start : start + feed + 1;
      if (feed >= 0) break;
    }
    if (end !== this.#size) this.truncate(end);
  }
}
