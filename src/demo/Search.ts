import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { Needle, Needles } from "./compileNeedles.ts";

/** Where a value was found, and how it was spelt there; never the value. */
export interface Found {
  readonly name: string;
  readonly where: string;
  readonly spelling: string;
}

/** Something that could not be searched, and why. */
export interface Unread {
  readonly where: string;
  readonly why: string;
}

const CHUNK = 8 * 1024 * 1024;
const YIELD_EVERY_MS = 50;

/** Reads up to `length` bytes into `into` at `offset`; 0 at the end. */
export type ReadChunk = (into: Uint8Array, offset: number, length: number) => number;

/**
 * One search under way: what was found, what couldn't be read, and the buffer everything is read
 * through. Chunks overlap, so a value across a border is found.
 */
export class Search {
  readonly found: Found[] = [];
  readonly unread: Unread[] = [];
  readonly #needles: Needles;
  readonly #keep: number;
  readonly #buffer: Buffer;
  readonly #seen = new Set<string>();
  #carried = 0;
  #rested = performance.now();

  constructor(needles: Needles) {
    this.#needles = needles;
    this.#keep = Math.max(0, needles.longest - 1);
    this.#buffer = Buffer.allocUnsafeSlow(this.#keep + CHUNK);
  }

  /** Begins something that doesn't continue what was searched before. */
  begin(): void {
    this.#carried = 0;
  }

  /**
   * Searches what `read` gives until it gives no more, or `limit` bytes; what came before, since
   * `begin`, is taken to stand directly in front of it. Returns the number of bytes read. What
   * `read` throws passes through.
   */
  searchThrough(read: ReadChunk, where: () => string, limit: number): number {
    let total = 0;
    while (total < limit) {
      const got = read(this.#buffer, this.#carried, Math.min(CHUNK, limit - total));
      if (got === 0) break;
      total += got;
      const length = this.#carried + got;
      for (const needle of this.#needles.search(this.#buffer, length))
        this.#report(needle, where());
      const keep = Math.min(this.#keep, length);
      this.#buffer.copyWithin(0, length - keep, length);
      this.#carried = keep;
    }
    return total;
  }

  /** Searches bytes that stand for themselves. */
  searchBytes(bytes: Uint8Array, where: () => string): void {
    for (const needle of this.#needles.search(bytes, bytes.length)) this.#report(needle, where());
  }

  /** Notes that something couldn't be searched. */
  skip(where: string, why: string): void {
    this.unread.push({ where: this.#printable(where), why });
  }

  /** Lets timers and sockets of this process have their turn now and then. */
  async rest(): Promise<void> {
    if (performance.now() - this.#rested < YIELD_EVERY_MS) return;
    await yieldToOthers();
    this.#rested = performance.now();
  }

  /** Wipes the buffer, which holds what was read last. */
  end(): void {
    this.#buffer.fill(0);
  }

  #report(needle: Needle, where: string): void {
    const found = { name: needle.name, where: this.#printable(where), spelling: needle.spelling };
    const key = JSON.stringify(found);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.found.push(found);
  }

  /**
   * Names inside are the bot's to choose: control characters among them must not reach a terminal, nor
   * a value that somebody has put into a name.
   */
  #printable(text: string): string {
    const holds = (part: string): boolean => {
      const bytes = Buffer.from(part);
      return this.#needles.search(bytes, bytes.length).length > 0;
    };
    const parts = text.split("/").map((part) => (holds(part) ? "[value]" : part));
    const masked = parts.join("/").replaceAll(/\p{C}/gu, "?");
    return holds(masked) ? "[value]" : masked;
  }
}

/** Why the system refused, in a word or two. */
export function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EACCES" || code === "EPERM" ? "permission denied" : (code ?? "unknown");
}

/** Whether the error only says that the process or file has gone since it was listed. */
export function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ESRCH";
}
