/** A request as the server saw it, read in the strictest way. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  body: Buffer;
  /** The body has come to its end. */
  complete: boolean;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Reads the requests of one connection as they come, and finds fault with everything that some
 * server might read in another way (RFC 9112). After a fault nothing more is read.
 */
export class RequestReader {
  readonly requests: SeenRequest[] = [];
  fault: string | undefined;
  /** Bytes after an upgrade are no requests. */
  raw = false;
  #waiting: Buffer = Buffer.alloc(0);
  #open: SeenRequest | undefined;
  /** Body bytes still to come, or what a chunked body waits for. */
  #left: number | "size" | "chunk-end" | "trailer" = 0;
  #chunked = false;
  readonly #onHead: (request: SeenRequest) => void;
  readonly #onEnd: (request: SeenRequest) => void;

  constructor(onHead: (request: SeenRequest) => void, onEnd: (request: SeenRequest) => void) {
    this.#onHead = onHead;
    this.#onEnd = onEnd;
  }

  /** Bytes that belong to no whole request yet. */
  get unread(): number {
    return this.#waiting.length;
  }

  push(chunk: Buffer): void {
    if (this.raw || this.fault !== undefined) return;
    this.#waiting = Buffer.concat([this.#waiting, chunk]);
    while (this.fault === undefined && this.#step());
  }

  /** One head or one piece of a body; whether there may be more. */
  #step(): boolean {
    if (this.raw) return false;
    return this.#open === undefined ? this.#head() : this.#chunked ? this.#chunk() : this.#plain();
  }

  #head(): boolean {
    const text = this.#waiting.toString("latin1", 0, Math.min(this.#waiting.length, 1 << 20));
    const end = text.search(/\n\r?\n/);
    if (end < 0) {
      if (/^\s/.test(text)) this.fault = "white space where a request should begin";
      return false;
    }
    if (!text.startsWith("\r\n\r\n", end - 1)) return this.#fail("a head that a bare LF ends");
    const head = text.slice(0, end - 1);
    this.#waiting = this.#waiting.subarray(end + 3);
    const request = this.#readHead(head);
    if (request === undefined) return false;
    this.#open = request;
    this.requests.push(request);
    this.#onHead(request);
    if (this.#left === 0 && !this.#chunked) this.#end();
    return true;
  }

  #readHead(head: string): SeenRequest | undefined {
    if (/[^\r]\n|\r[^\n]|^\n/.test(head)) return this.#fail("a bare CR or LF in a head");
    const [line = "", ...fields] = head.split("\r\n");
    const parts = /^([A-Z]+) (\S+) HTTP\/1\.1$/.exec(line);
    if (parts === null) return this.#fail("a request line that is none");
    const [, method = "", target = ""] = parts;
    // eslint-disable-next-line no-control-regex -- these are what it looks for
    if (/[\x00-\x20\x7f-\xff#\\]/.test(target))
      return this.#fail("a target with bytes that no URI has");
    if (!target.startsWith("/") && !(method === "OPTIONS" && target === "*"))
      return this.#fail("a target that is no path");
    const headers: [string, string][] = [];
    for (const field of fields) {
      const colon = field.indexOf(":");
      const name = field.slice(0, colon);
      const value = field.slice(colon + 1).replace(/^[ \t]*(.*?)[ \t]*$/, "$1");
      if (colon < 0 || !TOKEN.test(name)) return this.#fail("a field name that is none");
      // eslint-disable-next-line no-control-regex -- these are what it looks for
      if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value))
        return this.#fail("a control character in a field");
      headers.push([name.toLowerCase(), value]);
    }
    const all = (name: string): string[] =>
      headers.filter(([key]) => key === name).map(([, value]) => value);
    if (all("host").length !== 1) return this.#fail("not exactly one Host");
    const lengths = all("content-length");
    const codings = all("transfer-encoding");
    if (lengths.length + codings.length > 1) return this.#fail("its length said more than once");
    if (lengths.some((length) => !/^\d{1,15}$/.test(length)))
      return this.#fail("a length that is no number");
    if (codings.some((coding) => coding !== "chunked"))
      return this.#fail("a transfer coding that isn't chunked");
    this.#chunked = codings.length > 0;
    this.#left = this.#chunked ? "size" : Number(lengths[0] ?? 0);
    return { method, target, headers, body: Buffer.alloc(0), complete: false };
  }

  #plain(): boolean {
    const left = Number(this.#left);
    const taken = this.#waiting.subarray(0, left);
    this.#waiting = this.#waiting.subarray(taken.length);
    this.#take(taken);
    this.#left = left - taken.length;
    if (this.#left === 0) this.#end();
    return this.#left === 0;
  }

  #chunk(): boolean {
    if (typeof this.#left === "number") {
      const taken = this.#waiting.subarray(0, this.#left);
      this.#waiting = this.#waiting.subarray(taken.length);
      this.#take(taken);
      this.#left -= taken.length;
      if (this.#left === 0) this.#left = "chunk-end";
      return this.#left === "chunk-end";
    }
    const lf = this.#waiting.indexOf(10);
    if (lf < 0) return false;
    const line = this.#waiting.toString("latin1", 0, lf + 1);
    this.#waiting = this.#waiting.subarray(lf + 1);
    if (!/^[^\r\n]*\r\n$/.test(line)) return this.#fail("a bare CR or LF in a chunked body");
    const text = line.slice(0, -2);
    if (this.#left === "chunk-end") {
      if (text !== "") return this.#fail("a chunk longer than it says");
      this.#left = "size";
    } else if (this.#left === "size") {
      if (!/^[0-9a-f]{1,12}$/i.test(text)) return this.#fail("a chunk size that isn't plain");
      const size = Number.parseInt(text, 16);
      this.#left = size === 0 ? "trailer" : size;
    } else if (text === "") this.#end();
    else if (!/^[!-9;-~]+:[\t -~\x80-\xff]*$/.test(text))
      return this.#fail("a trailer that is none");
    return true;
  }

  #take(bytes: Buffer): void {
    // What is kept is what cases look at; floods are only counted.
    if (this.#open !== undefined && this.#open.body.length < 1 << 20)
      this.#open.body = Buffer.concat([this.#open.body, bytes]);
  }

  #end(): void {
    const request = this.#open;
    this.#open = undefined;
    this.#chunked = false;
    if (request === undefined) return;
    request.complete = true;
    this.#onEnd(request);
  }

  #fail(fault: string): undefined & false {
    this.fault = fault;
    return undefined as undefined & false;
  }
}
