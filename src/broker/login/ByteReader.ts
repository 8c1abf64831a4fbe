import type { Socket } from "node:net";

/** Reads a connection by hand until it is passed through: lines, or so many bytes. */
export class ByteReader {
  #socket: Socket;
  #buffer = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | undefined;
  readonly #onData = (chunk: Buffer): void => {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    // What nobody has asked for yet must not pile up.
    this.#socket.pause();
    this.#wake?.();
  };
  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen();
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** A line without its end; `undefined` when the connection ends before, or it is longer than `most`. */
  async line(most = 8192): Promise<string | undefined> {
    for (;;) {
      const end = this.#buffer.indexOf(0x0a);
      if (end > most || (end < 0 && this.#buffer.length > most)) return undefined;
      if (end >= 0) {
        const line = this.take(end + 1).toString("latin1");
        return line.replace(/\r?\n$/, "");
      }
      if (!(await this.#more())) return undefined;
    }
  }

  /** Exactly so many bytes. */
  async bytes(count: number): Promise<Buffer | undefined> {
    while (this.#buffer.length < count) if (!(await this.#more())) return undefined;
    return this.take(count);
  }

  /** What was read and not taken, which comes before anything else that the socket still gives. */
  rest(): Buffer {
    return this.take(this.#buffer.length);
  }

  take(count: number): Buffer {
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }

  /** Lets go of the socket, which stays paused. What was read is put back. */
  release(): Socket {
    this.#socket.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onEnd);
    this.#socket.pause();
    const rest = this.rest();
    if (rest.length > 0) this.#socket.unshift(rest);
    return this.#socket;
  }

  /** Goes on with what has taken the place of the socket: TLS on it. Bytes that came before that are nobody's. */
  replace(socket: Socket): void {
    this.#buffer = Buffer.alloc(0);
    this.#socket = socket;
    this.#listen();
  }

  #listen(): void {
    this.#socket.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onEnd);
    this.#socket.pause();
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const before = this.#buffer.length;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#socket.resume();
    });
    this.#wake = undefined;
    return this.#buffer.length > before || !this.#ended;
  }
}
