import { STATUS_CODES } from "node:http";
import type { Visit } from "../http/Visit.ts";
import type { Header } from "../match.ts";
import { describeRefusal, refusalBody, type Refusal, type RefusalCode } from "../Refusal.ts";

/** Basic, since that is what clients know to put into a proxy's URL. */
const PROXY_CHALLENGE = 'Basic realm="seawall"';

/** What is still read of a refused request's body, so that a client that writes first sees the answer. */
const MOST_DRAINED = 1024 * 1024;

/** The status that `replyRefused` will send; `undefined` when an answer has begun already. */
export function statusOfRefusal(visit: Visit, { refused, challenge }: Refusal): number | undefined {
  if (visit.answered) return undefined;
  return challenge === undefined ? describeRefusal(refused).status : 401;
}

/**
 * Answers a request that does not go out: plain JSON, `x-seawall: refused`, and the end of the
 * connection when a body is still on its way.
 *
 * @returns the status sent, or `undefined` when an answer had begun already and was cut instead.
 */
export function replyRefused(visit: Visit, refusal: Refusal): number | undefined {
  const status = statusOfRefusal(visit, refusal);
  if (status === undefined) {
    visit.destroy();
    return undefined;
  }
  const { refused, retryAfter, challenge } = refusal;
  const body = refusalBody(refused);
  const headers: Header[] = [
    ["content-type", "application/json"],
    ["content-length", String(Buffer.byteLength(body))],
    ["cache-control", "no-store"],
    ["x-seawall", "refused"],
  ];
  if (retryAfter !== undefined) headers.push(["retry-after", String(retryAfter)]);
  if (challenge !== undefined) headers.push(["www-authenticate", challenge]);
  if (refused === "proxy-token") headers.push(["proxy-authenticate", PROXY_CHALLENGE]);
  const reason = STATUS_CODES[status] ?? "Refused";
  const writer = visit.respond({ status, reason, headers, last: !visit.bodyComplete });
  void writer.end(Buffer.from(body), []);
  visit.discardBody(MOST_DRAINED);
  return status;
}

/** The same for a connection on which no request could be read. */
export function refusedResponseText(code: RefusalCode): string {
  const { status } = describeRefusal(code);
  const body = refusalBody(code);
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
    `x-seawall: refused\r\n${code === "proxy-token" ? `proxy-authenticate: ${PROXY_CHALLENGE}\r\n` : ""}connection: close\r\n\r\n${body}`
  );
}
