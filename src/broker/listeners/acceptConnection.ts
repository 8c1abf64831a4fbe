import type { Socket } from "node:net";
import type { BrokerParts } from "../call/BrokerParts.ts";
import { openTunnel } from "../call/openTunnel.ts";
import { refusedResponseText } from "../call/replyRefused.ts";
import type { Granted } from "../Deployment.ts";
import { normaliseAddress } from "../destination.ts";
import { narrowByServerName, type Arrival } from "../identify.ts";
import { isRefusal, type RefusalCode } from "../Refusal.ts";
import { findCandidates } from "./findCandidates.ts";
import { isLogin, openLogin } from "../login/openLogin.ts";
import { fatalAlert } from "../tls/alert.ts";
import type { ClientHello } from "../tls/parseClientHello.ts";
import { peekClientHello } from "../tls/peekClientHello.ts";

/**
 * Identifies a connection that a bot made and leads it on: to be served, to TLS and then to be
 * served, or through a tunnel. One that nothing was granted for ends here, with a record.
 */
export function acceptConnection(parts: BrokerParts, bot: string, socket: Socket): void {
  // Until somebody takes it over; a reset in that time is nothing to report.
  socket.on("error", () => undefined);
  const arrival = arrivalOf(bot, socket);
  const inForce = parts.inForce();
  if (arrival === undefined || inForce === undefined) {
    socket.destroy();
    return;
  }
  const { proxy } = inForce.deployment.bots.get(bot)?.plan ?? {};
  if (proxy?.port === arrival.port) {
    parts.takeProxied(socket, { ...arrival, tls: undefined, proxy });
    return;
  }
  const candidates = findCandidates(parts, arrival);
  if (isRefusal(candidates)) {
    noteRefusal(parts, arrival, undefined, candidates.refused);
    socket.destroy();
    return;
  }
  leadConnection(parts, arrival, candidates, socket);
}

/** Leads a connection on whose destination is known: by address, or named to the explicit proxy. */
export function leadConnection(
  parts: BrokerParts,
  arrival: Arrival,
  candidates: readonly Granted[],
  socket: Socket,
): void {
  const inForce = parts.inForce();
  if (inForce === undefined) {
    socket.destroy();
    return;
  }
  const [only] = candidates;
  if (only?.grant.kind === "tcp") {
    openTunnel(parts, inForce.audit, only, socket);
    return;
  }
  if (isLogin(only)) {
    void openLogin(parts, inForce.audit, only, socket);
    return;
  }
  if (only?.host.scheme === "http") {
    parts.take(socket, { ...arrival, tls: undefined });
    return;
  }
  peekClientHello(socket, parts.timeouts.clientHello, (result) => {
    if ("gone" in result) {
      socket.destroy();
      return;
    }
    if ("refused" in result) {
      refuseTls(parts, arrival, candidates, result.refused, socket);
      return;
    }
    leadOn(parts, arrival, candidates, result.hello, socket);
  });
}

/** Where a connection goes by its ClientHello, and by what is in force once that is there. */
function leadOn(
  parts: BrokerParts,
  arrival: Arrival,
  candidates: readonly Granted[],
  hello: ClientHello,
  socket: Socket,
): void {
  const inForce = parts.inForce();
  const now = findCandidates(parts, arrival);
  const named = isRefusal(now) ? now : narrowByServerName(now, hello.serverName);
  if (isRefusal(named)) {
    refuseTls(parts, arrival, candidates, named.refused, socket);
    return;
  }
  const [first] = named;
  if (inForce === undefined || first === undefined) {
    socket.destroy();
    return;
  }
  if (first.grant.kind === "tunnel") {
    if (hello.encrypted) refuseTls(parts, arrival, named, "ech-refused", socket);
    else openTunnel(parts, inForce.audit, first, socket);
    return;
  }
  const { serverName } = hello;
  const taken = inForce.tls.get(arrival.bot);
  if (taken === undefined) {
    socket.destroy();
    return;
  }
  taken.take(socket, serverName, (secure) => {
    if (secure !== undefined) parts.take(secure, { ...arrival, tls: { serverName } });
    else noteRefusal(parts, arrival, first, "tls-handshake");
  });
}

/** The local end of a connection is where the bot meant to go. `undefined` when the peer has gone already. */
export function arrivalOf(bot: string, socket: Socket): Arrival | undefined {
  const { localAddress, localPort } = socket;
  if (localAddress === undefined || localPort === undefined) return undefined;
  return { bot, address: normaliseAddress(localAddress), port: localPort };
}

function refuseTls(
  parts: BrokerParts,
  arrival: Arrival,
  candidates: readonly Granted[],
  code: RefusalCode,
  socket: Socket,
): void {
  noteRefusal(parts, arrival, candidates[0], code);
  if (code === "not-tls") socket.write(refusedResponseText(code));
  else if (code === "sni-mismatch") socket.write(fatalAlert("unrecognized_name"));
  else if (code === "sni-missing") socket.write(fatalAlert("missing_extension"));
  else socket.write(fatalAlert("handshake_failure"));
  // Unread bytes would turn the close into a reset that overtakes the alert.
  socket.resume();
  socket.destroySoon();
}

/** Connections that come to nothing are recorded by kind and minute, see `RepeatFilter`. */
export function noteRefusal(
  parts: BrokerParts,
  arrival: Arrival,
  granted: Granted | undefined,
  code: RefusalCode,
): void {
  const host = granted?.host.name ?? arrival.named?.name ?? arrival.address;
  parts.repeats.note(
    {
      bot: arrival.bot,
      kind: "connect",
      host: `${host.includes(":") ? `[${host}]` : host}:${arrival.port}`,
      ...(granted === undefined ? {} : { grant: granted.grant.name }),
    },
    { outcome: "refused", code },
  );
}
