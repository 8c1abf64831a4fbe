import type { ClientRequest, IncomingMessage } from "node:http";
import { errorCode, nameFailure } from "../../dial/nameFailure.ts";
import { pairHeaders, type Header } from "../../match.ts";
import type { RefusalCode } from "../../Refusal.ts";
import { UpstreamError, type UpstreamExchange, type UpstreamReply } from "../UpstreamExchange.ts";
import { writeAll } from "../writeAll.ts";
import { nodeSource } from "./nodeSource.ts";

/** A call that Node's own client makes. */
export class NodeExchange implements UpstreamExchange {
  readonly reply: Promise<UpstreamReply>;
  readonly #request: ClientRequest;

  constructor(request: ClientRequest, connectTimeoutMs: number) {
    this.#request = request;
    this.reply = replyOf(request, connectTimeoutMs);
    this.reply.catch(() => undefined);
  }

  get reused(): boolean {
    return this.#request.reusedSocket;
  }

  write(chunk: Buffer): Promise<boolean> {
    return writeAll(this.#request, chunk);
  }

  end(rest: Buffer, trailers: readonly Header[]): void {
    if (trailers.length > 0)
      this.#request.addTrailers(trailers.map(([name, value]): [string, string] => [name, value]));
    this.#request.end(rest);
  }

  destroy(): void {
    this.#request.destroy();
  }
}

/** The reply's head, or why there is none. Interim replies (1xx) are for the broker, which asked for none. */
function replyOf(request: ClientRequest, connectTimeoutMs: number): Promise<UpstreamReply> {
  return new Promise((resolve, reject) => {
    const fail = (code: RefusalCode, cause?: unknown): void => {
      clearTimeout(timer);
      const stale = request.reusedSocket && ["ECONNRESET", "EPIPE"].includes(errorCode(cause));
      reject(new UpstreamError(code, { cause, stale }));
    };
    // Only reaching the host is bounded: a model may think for minutes before its first byte.
    const timer = setTimeout(() => {
      fail("upstream-unreachable");
      request.destroy();
    }, connectTimeoutMs);
    const reached = (): void => {
      clearTimeout(timer);
    };
    request.once("socket", (socket) => {
      if (!socket.connecting && request.reusedSocket) reached();
      else socket.once("encrypted" in socket ? "secureConnect" : "connect", reached);
    });
    request.once("response", (message) => {
      // Whoever reads the body meets the error too; without a listener it would be lost before that.
      message.on("error", () => undefined);
      reached();
      resolve(describeReply(message));
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      fail(nameFailure(error), error);
    });
    // A 101 nobody asked for: without a listener Node would cut the connection and say nothing.
    request.once("upgrade", (_message, socket) => {
      socket.destroy();
      fail("upstream-protocol");
    });
    request.once("close", () => {
      fail("upstream-unreachable");
    });
  });
}

function describeReply(message: IncomingMessage): UpstreamReply {
  return {
    status: message.statusCode ?? 502,
    reason: message.statusMessage ?? "",
    headers: pairHeaders(message.rawHeaders),
    body: nodeSource(() => message[Symbol.asyncIterator]()),
    get trailers() {
      return pairHeaders(message.rawTrailers);
    },
  };
}
