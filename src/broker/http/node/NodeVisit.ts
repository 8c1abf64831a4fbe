import type { IncomingMessage, ServerResponse } from "node:http";
import { pairHeaders, type Header } from "../../match.ts";
import { writeAll } from "../writeAll.ts";
import type { ByteSource } from "../ByteSource.ts";
import type { ReplyHead, ReplyWriter, Visit, VisitHead } from "../Visit.ts";
import { iteratorSource } from "../iteratorSource.ts";

/** A request that Node's own server read. */
export class NodeVisit implements Visit {
  readonly head: VisitHead;
  readonly body: ByteSource;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #listeners = new Set<() => void>();

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    response.once("close", () => {
      if (response.writableFinished) return;
      for (const listener of this.#listeners) listener();
    });
    this.head = headOf(request);
    // The iterator must not destroy the request: its socket carries the answer.
    this.body = iteratorSource(() => request.iterator({ destroyOnReturn: false }));
  }

  /** `complete` isn't true yet when a request without a body is announced. */
  get bodyComplete(): boolean {
    const { complete, headers } = this.#request;
    return (
      complete ||
      (headers["transfer-encoding"] === undefined && (headers["content-length"] ?? "0") === "0")
    );
  }

  get trailers(): readonly Header[] {
    return pairHeaders(this.#request.rawTrailers);
  }

  get gone(): boolean {
    return this.#response.destroyed && !this.#response.writableFinished;
  }

  onGone(listener: () => void): void {
    this.#listeners.add(listener);
  }

  offGone(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  sendContinue(): void {
    this.#response.writeContinue();
  }

  get answered(): boolean {
    return this.#response.headersSent;
  }

  respond(head: ReplyHead): ReplyWriter {
    const response = this.#response;
    response.sendDate = false;
    if (head.last === true) response.shouldKeepAlive = false;
    response.writeHead(head.status, head.reason, head.headers.flat());
    return {
      flush: () => {
        response.flushHeaders();
      },
      write: (chunk) => writeAll(response, chunk),
      end: (rest, trailers) => {
        if (trailers.length > 0 && !response.hasHeader("content-length"))
          response.addTrailers(trailers.map(([name, value]): [string, string] => [name, value]));
        const over = closed(response);
        response.end(rest);
        return over;
      },
    };
  }

  switchProtocol(): undefined {
    this.destroy();
  }

  discardBody(most: number): void {
    const request = this.#request;
    let discarded = 0;
    request.on("data", (chunk: Buffer) => {
      discarded += chunk.length;
      if (discarded > most) request.destroy();
    });
    request.resume();
  }

  destroy(): void {
    this.#response.destroy();
    this.#request.destroy();
  }
}

/** The head of a request that Node read. */
export function headOf(request: IncomingMessage): VisitHead {
  return {
    method: request.method ?? "",
    target: request.url ?? "",
    version: request.httpVersion === "1.1" ? "1.1" : "1.0",
    headers: pairHeaders(request.rawHeaders),
  };
}

/** Whether the last byte was handed to the system (`finish`) before the connection closed. */
function closed(response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    response.once("finish", () => {
      resolve(true);
    });
    response.once("close", () => {
      resolve(response.writableFinished);
    });
    if (response.destroyed) resolve(false);
  });
}
