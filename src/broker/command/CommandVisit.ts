import type { ByteSource } from "../http/ByteSource.ts";
import type { ReplyHead, ReplyWriter, Visit, VisitHead } from "../http/Visit.ts";
import type { CommandSocket } from "./CommandSocket.ts";

/** Where an answer's bytes go. */
export interface ReplySink {
  /** The head has come. */
  head(head: ReplyHead): void;
  /** `false`: nobody takes any more, and the call is cut. */
  write(chunk: Buffer): boolean | Promise<boolean>;
}

/** One call that a command makes, in the shape that calls from the network have: so it takes the same way. */
export class CommandVisit implements Visit {
  readonly head: VisitHead;
  readonly body: ByteSource;
  readonly trailers = [];
  readonly #client: CommandSocket;
  readonly #sink: ReplySink;
  readonly #listeners = new Set<() => void>();
  readonly #onClientGone: () => void;
  #bodyComplete: boolean;
  #answered = false;
  #gone = false;
  #finished = false;

  /** @param complete whether `body` is all there already. */
  constructor(
    client: CommandSocket,
    head: VisitHead,
    body: { readonly source: ByteSource; readonly complete: boolean },
    sink: ReplySink,
  ) {
    this.#client = client;
    this.head = head;
    this.#bodyComplete = body.complete;
    this.body = {
      read: () => this.#read(body.source),
      [Symbol.asyncIterator]: () => body.source[Symbol.asyncIterator](),
    };
    this.#sink = sink;
    this.#onClientGone = () => {
      this.destroy();
    };
    client.onGone(this.#onClientGone);
  }

  get bodyComplete(): boolean {
    return this.#bodyComplete;
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Whether the answer came to its end. */
  get finished(): boolean {
    return this.#finished;
  }

  onGone(listener: () => void): void {
    this.#listeners.add(listener);
  }

  offGone(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  sendContinue(): void {
    // A command never asks.
  }

  get answered(): boolean {
    return this.#answered;
  }

  respond(head: ReplyHead): ReplyWriter {
    this.#answered = true;
    this.#sink.head(head);
    const pass = async (chunk: Buffer): Promise<boolean> => {
      if (this.#gone) return false;
      if (chunk.length > 0 && !(await this.#sink.write(chunk))) this.destroy();
      return !this.#gone;
    };
    return {
      flush: () => undefined,
      write: pass,
      end: async (rest) => {
        const passed = await pass(rest);
        this.#finished = passed;
        this.#client.offGone(this.#onClientGone);
        return passed;
      },
    };
  }

  switchProtocol(): undefined {
    this.destroy();
  }

  discardBody(): void {
    // The client's socket throws away what nobody reads.
  }

  destroy(): void {
    if (this.#gone || this.#finished) return;
    this.#gone = true;
    this.#client.offGone(this.#onClientGone);
    for (const listener of this.#listeners) listener();
  }

  #read(source: ByteSource): Buffer | null | Promise<Buffer | null> {
    const note = (chunk: Buffer | null): Buffer | null => {
      this.#bodyComplete ||= chunk === null;
      return chunk;
    };
    const next = source.read();
    return next instanceof Promise ? next.then(note) : note(next);
  }
}
