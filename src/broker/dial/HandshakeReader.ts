import type { Socket } from "node:net";
import { DialError } from "./DialError.ts";

/**
 * Reads what a proxy says before a connection through it is open, to the byte: what comes after goes
 * back into the socket by `release`. One read at a time. Whatever ends the connection first makes the
 * read fail with `proxy-failed`; there is no limit of time here, the caller closes the socket.
 */
export class HandshakeReader {
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);
  #check: (() => void) | undefined;
  #over = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("readable", this.#onReadable);
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onEnd);
  }

  /** The next `length` bytes. */
  take(length: number): Promise<Buffer> {
    return this.#wait(() => (this.#bytes.length < length ? undefined : length));
  }

  /** Everything up to and with `marker`, which must end within `most` bytes. */
  takeUntil(marker: string, most: number): Promise<Buffer> {
    return this.#wait(() => {
      const at = this.#bytes.indexOf(marker, 0, "latin1");
      const end = at + marker.length;
      if (at < 0 ? this.#bytes.length >= most : end > most)
        throw new DialError("proxy-failed", "the proxy's answer is too long");
      return at < 0 ? undefined : end;
    });
  }

  /** Stops reading and puts back what wasn't taken. @returns how many bytes that were. */
  release(): number {
    this.#socket.off("readable", this.#onReadable);
    this.#socket.off("end", this.#onEnd);
    this.#socket.off("close", this.#onEnd);
    if (this.#bytes.length > 0 && !this.#socket.destroyed) this.#socket.unshift(this.#bytes);
    return this.#bytes.length;
  }

  #wait(lengthWhenThere: () => number | undefined): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const check = (): void => {
      try {
        const length = lengthWhenThere();
        if (length !== undefined) {
          resolve(this.#bytes.subarray(0, length));
          this.#bytes = this.#bytes.subarray(length);
        } else if (this.#over) {
          throw new DialError("proxy-failed", "the proxy closed the connection");
        } else return;
      } catch (error) {
        reject(error);
      }
      this.#check = undefined;
    };
    this.#check = check;
    check();
    return promise;
  }

  readonly #onReadable = (): void => {
    for (let chunk: unknown = this.#socket.read(); chunk !== null; chunk = this.#socket.read()) {
      if (Buffer.isBuffer(chunk)) this.#bytes = Buffer.concat([this.#bytes, chunk]);
    }
    this.#check?.();
  };

  readonly #onEnd = (): void => {
    this.#over = true;
    this.#check?.();
  };
}
