import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";

/**
 * A file of lines that only grows, each appended by one synchronous call. A line is in the file
 * whole or not at all: what a full disk cut off is taken back, and half a line that a crash left
 * is removed on opening. Synchronous writes reach the kernel before the call goes on, so they
 * survive the process (not a power cut: no fsync per call).
 */
export class LineFile {
  readonly #fd: number;
  #size: number;

  /** @throws NodeJS.ErrnoException from open(2). */
  constructor(path: string) {
    this.#fd = openSync(path, "a+", 0o600);
    this.#size = fstatSync(this.#fd).size;
    this.#dropHalfLine();
  }

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  /** @throws NodeJS.ErrnoException from write(2), nothing of the line being left in the file. */
  append(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written);
    } catch (error) {
      if (written > 0) ftruncateSync(this.#fd, this.#size);
      throw error;
    }
    this.#size += bytes.length;
  }

  /** Calls `each` with every line from byte `offset` on. */
  read(offset: number, each: (line: string) => void): void {
    const chunk = Buffer.alloc(64 * 1024);
    let rest = Buffer.alloc(0);
    for (let at = offset > this.#size ? 0 : offset; ;) {
      const got = readSync(this.#fd, chunk, 0, chunk.length, at);
      if (got === 0) break;
      at += got;
      rest = Buffer.concat([rest, chunk.subarray(0, got)]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        each(rest.subarray(0, end).toString());
        rest = rest.subarray(end + 1);
      }
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #dropHalfLine(): void {
    const byte = Buffer.alloc(1);
    const before = this.#size;
    while (this.#size > 0 && readSync(this.#fd, byte, 0, 1, this.#size - 1) === 1 && byte[0] !== 10)
      this.#size -= 1;
    if (this.#size !== before) ftruncateSync(this.#fd, this.#size);
  }
}
