import type { Socket } from "node:net";
import type { BrokerParts } from "../call/BrokerParts.ts";
import { handleCall, recordRefusal, type Connection } from "../call/handleCall.ts";
import { refusedResponseText, replyRefused, statusOfRefusal } from "../call/replyRefused.ts";
import type { Visit, VisitHead } from "../http/Visit.ts";
import { leadConnection } from "../listeners/acceptConnection.ts";
import { findCandidates } from "../listeners/findCandidates.ts";
import { describeRefusal, isRefusal, type Refusal } from "../Refusal.ts";
import { checkToken, findPhantom } from "./checkToken.ts";
import { readAbsolute, readConnect } from "./readTarget.ts";

/** A connection at which the broker is an explicit proxy. What it is meant for, each request says itself. */
export type ProxyConnection = Connection & { readonly proxy: { readonly token?: string } };

/**
 * A request in absolute-form for a plain HTTP host: from here on it is as if the bot had dialled that
 * host. Anything else but CONNECT is refused and recorded.
 */
export async function handleProxied(
  parts: BrokerParts,
  connection: ProxyConnection,
  visit: Visit,
): Promise<void> {
  const headers = checkToken(visit.head.headers, connection.proxy.token);
  const read = isRefusal(headers) ? headers : readAbsolute({ ...visit.head, headers });
  if (isRefusal(read)) {
    record(parts, connection, visit.head, read, statusOfRefusal(visit, read));
    replyRefused(visit, read);
    return;
  }
  const { bot } = connection;
  const { name, port } = read.to;
  const named = { bot, address: "", port, named: { name, plain: true }, tls: undefined };
  await handleCall(parts, named, visit, read.head);
}

/**
 * CONNECT: the answer is 200 only where a grant has that host, and then the connection is led on as
 * if it had been made to that host, so what comes must be TLS with that very name, or what the host
 * speaks.
 *
 * @param rest what came after the request.
 */
export function acceptConnect(
  parts: BrokerParts,
  connection: ProxyConnection,
  head: VisitHead,
  socket: Socket,
  rest: Buffer,
): void {
  const refuseIt = (refusal: Refusal): void => {
    const { status } = describeRefusal(refusal.refused);
    record(parts, connection, head, refusal, status);
    socket.end(refusedResponseText(refusal.refused), () => socket.destroy());
  };
  const inForce = parts.inForce();
  if (inForce === undefined) {
    socket.destroy();
    return;
  }
  const headers = checkToken(head.headers, connection.proxy.token);
  if (isRefusal(headers)) {
    refuseIt(headers);
    return;
  }
  const stray = findPhantom(headers, inForce.deployment.phantoms);
  const to = stray ?? readConnect({ ...head, headers });
  if (isRefusal(to)) {
    refuseIt(to);
    return;
  }
  const { bot } = connection;
  const arrival = { bot, address: "", port: to.port, named: { name: to.name, plain: false } };
  const candidates = findCandidates(parts, arrival);
  if (isRefusal(candidates)) {
    refuseIt(candidates);
    return;
  }
  socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
  if (rest.length > 0) socket.unshift(rest);
  leadConnection(parts, arrival, candidates, socket);
}

function record(
  parts: BrokerParts,
  { bot, address, port }: Connection,
  { method }: VisitHead,
  { refused }: Refusal,
  status: number | undefined,
): void {
  const audit = parts.inForce()?.audit;
  if (audit === undefined) return;
  const known = method === "CONNECT" || /^[A-Z]{1,20}$/.test(method) ? method : "(other)";
  const start = { bot, kind: "call" as const, host: `${address}:${port}`, method: known };
  recordRefusal(audit, start, refused, status, Date.now());
}
