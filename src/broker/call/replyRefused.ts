import type { IncomingMessage, ServerResponse } from "node:http";
import { describeRefusal, refusalBody, type Refusal, type RefusalCode } from "../Refusal.ts";

/** What is still read of a refused request's body, so that a client that writes first sees the answer. */
const MOST_DRAINED = 1024 * 1024;

/**
 * Answers a request that does not go out: plain JSON, `x-seawall: refused`, and the end of the
 * connection when a body is still on its way.
 *
 * @returns the status sent, or `undefined` when an answer had begun already and was cut instead.
 */
export function replyRefused(
  request: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
): number | undefined {
  if (response.headersSent) {
    response.destroy();
    return undefined;
  }
  const { refused, retryAfter, challenge } = refusal;
  const status = challenge === undefined ? describeRefusal(refused).status : 401;
  const body = refusalBody(refused);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-seawall": "refused",
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
    ...(challenge === undefined ? {} : { "www-authenticate": challenge }),
    ...(mayHaveBody(request) ? { connection: "close" } : {}),
  });
  response.end(body);
  let drained = 0;
  request.on("data", (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > MOST_DRAINED) request.destroy();
  });
  request.on("error", () => undefined);
  request.resume();
  return status;
}

/** `request.complete` isn't true yet when a request without a body is announced. */
function mayHaveBody({ complete, headers }: IncomingMessage): boolean {
  return (
    !complete &&
    (headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0")
  );
}

/** The same for a connection on which no request could be read. */
export function refusedResponseText(code: RefusalCode): string {
  const { status } = describeRefusal(code);
  const body = refusalBody(code);
  return (
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
    `x-seawall: refused\r\nconnection: close\r\n\r\n${body}`
  );
}
