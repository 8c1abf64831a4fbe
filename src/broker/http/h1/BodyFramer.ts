/** How a body's end is told: its length, by chunks, by the end of the connection, or there is none. */
export type Framing = number | "chunked" | "close" | "none";

const NOTHING = Buffer.alloc(0);
/**
 * The bytes of one message in the framing its head announced. The head is held back until there is
 * something to go with it.
 */
export class BodyFramer {
  readonly #framing: Framing;
  #head: string;
  #sent = 0;

  /** @param head latin1, whole. */
  constructor(head: string, framing: Framing) {
    this.#head = head;
    this.#framing = framing;
  }

  /** The head alone, if it is still here. */
  flush(): Buffer {
    return this.#join(NOTHING);
  }

  /** `undefined` when the body would become longer than its head said. */
  push(chunk: Buffer): Buffer | undefined {
    this.#sent += chunk.length;
    if (typeof this.#framing === "number" && this.#sent > this.#framing) return undefined;
    if (this.#framing === "none") return this.flush();
    if (this.#framing !== "chunked") return this.#join(chunk);
    return chunk.length === 0 ? this.flush() : this.#join(chunk, chunkLine(chunk), "\r\n");
  }

  /** @param trailers whole lines, or empty. */
  end(rest: Buffer, trailers: string): Buffer | undefined {
    this.#sent += rest.length;
    if (typeof this.#framing === "number" && this.#sent !== this.#framing) return undefined;
    if (this.#framing === "none") return this.flush();
    if (this.#framing !== "chunked") return this.#join(rest);
    const last = `0\r\n${trailers}\r\n`;
    return rest.length === 0
      ? this.#join(NOTHING, last)
      : this.#join(rest, chunkLine(rest), `\r\n${last}`);
  }

  #join(chunk: Buffer, before = "", after = ""): Buffer {
    const front = this.#head + before;
    this.#head = "";
    if (front === "" && after === "") return chunk;
    const out = Buffer.allocUnsafe(front.length + chunk.length + after.length);
    out.write(front, 0, "latin1");
    chunk.copy(out, front.length);
    out.write(after, front.length + chunk.length, "latin1");
    return out;
  }
}

function chunkLine(chunk: Buffer): string {
  return `${chunk.length.toString(16)}\r\n`;
}
