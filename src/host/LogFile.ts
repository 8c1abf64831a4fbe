import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";

/** A log is at most this large, and one older file of the same size is kept beside it. */
const LARGEST_BYTES = 10 * 1024 * 1024;

/**
 * An append-only log that can't fill the disk: at 10 MB it becomes `<name>.1`, replacing the one
 * before. What can't be written is dropped, since a bot must not stop because a disk is full.
 */
export class LogFile {
  readonly #path: string;
  #fd: number;
  #size: number;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, "a", 0o600);
    this.#size = fstatSync(this.#fd).size;
  }

  write(chunk: Uint8Array | string): void {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    try {
      if (this.#size + bytes.length > LARGEST_BYTES) this.#rotate();
      this.#size += writeSync(this.#fd, bytes);
    } catch {
      // Dropped, see above.
    }
  }

  /** One line with the time before it, for what Seawall itself has to say. */
  note(text: string): void {
    this.write(`${new Date().toISOString()} seawall: ${text}\n`);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #rotate(): void {
    renameSync(this.#path, `${this.#path}.1`);
    closeSync(this.#fd);
    this.#fd = openSync(this.#path, "a", 0o600);
    this.#size = 0;
  }
}
