import type { StreamReplacer } from "./StreamReplacer.ts";

const NOTHING: Buffer = Buffer.alloc(0);
const HEAD_BYTES = 5;
const TRAILERS = 0x80;
/** What gRPC's own clients and servers take unless told otherwise. */
const MOST_COLLECTED = 4 * 1024 * 1024;

/**
 * Replaces within the messages of a gRPC stream (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md:
 * a flag, four bytes of length, the message; gRPC-Web has its trailers in a last one). A message
 * leaves when it is complete, since the other side may wait for it before it says more. Where a
 * replacement has another length, messages are collected to tell the new one.
 */
export class GrpcReplacer {
  readonly #make: () => StreamReplacer;
  readonly #keepsLengths: boolean;
  #head: Buffer = NOTHING;
  #remaining = 0;
  #replacer: StreamReplacer;
  /** Of the message under way, where its new length isn't known yet. */
  #collected: Buffer[] = [];
  #count = 0;

  constructor(make: () => StreamReplacer, keepsLengths: boolean) {
    this.#make = make;
    this.#keepsLengths = keepsLengths;
    this.#replacer = make();
  }

  get count(): number {
    return this.#count + this.#replacer.count;
  }

  /** @throws Error when it isn't framed like this, or a message is compressed and so can't be searched. */
  push(chunk: Buffer): Buffer {
    const out: Buffer[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#head.length < HEAD_BYTES) {
        const more = chunk.subarray(at, at + HEAD_BYTES - this.#head.length);
        at += more.length;
        this.#head = Buffer.concat([this.#head, more]);
        if (this.#head.length < HEAD_BYTES) break;
        this.#begin(out);
      } else {
        const some = chunk.subarray(at, at + this.#remaining);
        at += some.length;
        this.#remaining -= some.length;
        this.#pass(out, this.#replacer.push(some));
      }
      if (this.#remaining === 0) this.#finish(out);
    }
    return Buffer.concat(out);
  }

  /** @throws Error when a message is cut short. */
  end(): Buffer {
    if (this.#head.length > 0) throw new Error("a gRPC message is cut short");
    return NOTHING;
  }

  #begin(out: Buffer[]): void {
    const flag = this.#head[0];
    this.#remaining = this.#head.readUInt32BE(1);
    if (flag !== 0 && flag !== TRAILERS) throw new Error("a gRPC message can't be searched");
    if (this.#keepsLengths) out.push(this.#head);
    else if (this.#remaining > MOST_COLLECTED) throw new Error("a gRPC message is too long");
  }

  #pass(out: Buffer[], bytes: Buffer): void {
    (this.#keepsLengths ? out : this.#collected).push(bytes);
  }

  #finish(out: Buffer[]): void {
    this.#pass(out, this.#replacer.end());
    if (!this.#keepsLengths) {
      const message = Buffer.concat(this.#collected);
      const head = Buffer.from(this.#head);
      head.writeUInt32BE(message.length, 1);
      out.push(head, message);
      this.#collected = [];
    }
    this.#count += this.#replacer.count;
    this.#replacer = this.#make();
    this.#head = NOTHING;
  }
}
