import type { Socket } from "node:net";
import type { ByteSource } from "../http/ByteSource.ts";
import { iterate } from "../http/ByteSource.ts";
import { writeAll } from "../http/writeAll.ts";

/** Longer than any request of the client's, which has the same bound (native/client.c). */
const MOST_REQUEST_BYTES = 1024 * 1024;
/** As the client takes them. */
const MOST_FRAME_BYTES = 256 * 1024;
const LINE_FEED = 0x0a;

/** The broker's side of one use of a client command; docs/services.md has the protocol. */
export class CommandSocket {
  readonly #socket: Socket;
  readonly #iterator: AsyncIterator<unknown>;
  readonly #listeners = new Set<() => void>();
  #rest: Buffer | undefined;
  #ended = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => undefined);
    this.#iterator = socket.iterator({ destroyOnReturn: false });
    socket.once("close", () => {
      if (this.#ended) return;
      for (const listener of this.#listeners) listener();
      this.#listeners.clear();
    });
  }

  /** Whether the client went away before it had its exit code. */
  get gone(): boolean {
    return this.#socket.destroyed && !this.#ended;
  }

  onGone(listener: () => void): void {
    if (this.gone) listener();
    else this.#listeners.add(listener);
  }

  offGone(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /**
   * The first line, without its end. `undefined` when none came: too long, too late, or the client went.
   *
   * @param timeoutMs for all of it.
   */
  async readLine(timeoutMs: number): Promise<Buffer | undefined> {
    const timer = setTimeout(() => this.#socket.destroy(), timeoutMs);
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      for (;;) {
        const chunk = await this.#next();
        if (chunk === null) return undefined;
        const end = chunk.indexOf(LINE_FEED);
        const part = end < 0 ? chunk : chunk.subarray(0, end);
        length += part.length;
        if (length > MOST_REQUEST_BYTES) return undefined;
        chunks.push(part);
        if (end < 0) continue;
        const rest = chunk.subarray(end + 1);
        if (rest.length > 0) this.#rest = rest;
        return Buffer.concat(chunks);
      }
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** What comes after the line, to the client's end of it. */
  get body(): ByteSource {
    const source: ByteSource = {
      read: () => this.#next(),
      [Symbol.asyncIterator]: () => iterate(source),
    };
    return source;
  }

  /** Passes bytes on; `false` when the client has gone. Waits while it reads too slowly. */
  async write(kind: "o" | "e", bytes: Uint8Array): Promise<boolean> {
    for (let at = 0; at < bytes.length; at += MOST_FRAME_BYTES) {
      const part = bytes.subarray(at, at + MOST_FRAME_BYTES);
      if (!(await writeAll(this.#socket, frame(kind, part)))) return false;
    }
    return !this.gone;
  }

  /** The last word. What still comes is nobody's. */
  exit(code: number): void {
    if (this.#ended || this.#socket.destroyed) return;
    this.#ended = true;
    this.#listeners.clear();
    // Unread bytes would turn the close into a reset that overtakes the answer.
    this.#socket.end(frame("x", Buffer.of(code)), () => this.#socket.destroySoon());
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #next(): Promise<Buffer | null> {
    const rest = this.#rest;
    if (rest !== undefined) {
      this.#rest = undefined;
      return rest;
    }
    const next = await this.#iterator.next();
    return next.done === true || !Buffer.isBuffer(next.value) ? null : next.value;
  }
}

function frame(kind: string, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.write(kind, "latin1");
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
