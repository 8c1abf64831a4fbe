import { iterate, type ByteSource } from "./ByteSource.ts";

/** More waiting than this and whoever fills the queue should pause. */
const MUCH = 64 * 1024;

interface Waiting {
  resolve(chunk: Buffer | null): void;
  reject(error: Error): void;
}

/** Bytes from whoever pushes to the one who reads, with a sign when they come too fast. */
export class ByteQueue implements ByteSource {
  readonly #onRoom: () => void;
  #chunks: Buffer[] = [];
  #held = 0;
  #full = false;
  #ended = false;
  #failure: Error | undefined;
  #waiting: Waiting | undefined;

  /** @param onRoom called when `push` had said that it is enough and there is room again. */
  constructor(onRoom: () => void) {
    this.#onRoom = onRoom;
  }

  /** Whether the end was pushed. */
  get ended(): boolean {
    return this.#ended;
  }

  /** `false` when it is enough for now. What comes after the end or a failure is dropped. */
  push(chunk: Buffer): boolean {
    if (this.#ended || this.#failure !== undefined || chunk.length === 0) return true;
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve(chunk);
      return true;
    }
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    this.#full = this.#held > MUCH;
    return !this.#full;
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.resolve(null);
    this.#waiting = undefined;
  }

  /** What waits to be read is still given. Nothing after the end. */
  fail(error: Error): void {
    if (this.#ended || this.#failure !== undefined) return;
    this.#failure = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  /** Throws away what waits, also what comes later. */
  drop(): void {
    this.#chunks = [];
    this.#held = 0;
    this.#full = false;
    this.#failure ??= new Error("dropped");
  }

  read(): Buffer | null | Promise<Buffer | null> {
    const [first] = this.#chunks;
    if (first !== undefined) {
      // All that is there at once: many small pieces would cost many small writes further on.
      const chunk = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#held);
      this.#chunks = [];
      this.#held = 0;
      if (this.#full) {
        this.#full = false;
        this.#onRoom();
      }
      return chunk;
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return null;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  [Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    return iterate(this);
  }
}
