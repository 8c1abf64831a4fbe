import net, { type Socket } from "node:net";
import type { Audit } from "../audit/Audit.ts";
import type { AuditStart } from "../audit/AuditRecord.ts";
import type { Granted } from "../Deployment.ts";
import { destinationOf, guardedLookup, mayDial } from "../dial/Destination.ts";
import { nameFailure } from "../dial/nameFailure.ts";
import type { BrokerParts } from "./BrokerParts.ts";

/**
 * Passes a connection's bytes through to the granted host and back, still encrypted end to end.
 * Each half closes on its own; a slow reader slows the writer. What the bot asks for inside (also a
 * Host other than the server name) can't be seen here: that is what `tunnel` means.
 */
export function openTunnel(
  parts: BrokerParts,
  audit: Audit,
  granted: Granted,
  socket: Socket,
): void {
  const start: AuditStart = {
    bot: granted.bot,
    kind: "tunnel",
    grant: granted.grant.name,
    host: `${granted.host.name}:${granted.host.port}`,
  };
  const destination = destinationOf(granted);
  if (!mayDial(destination)) {
    audit.record(start, { outcome: "refused", code: "address-refused" });
    socket.destroy();
    return;
  }
  const open = audit.begin(start);
  if (open === undefined) {
    audit.record(start, { outcome: "refused", code: "audit-unwritable" });
    socket.destroy();
    return;
  }
  const upstream = net.connect({
    host: destination.host,
    port: destination.port,
    lookup: guardedLookup(destination.allowed, parts.resolve),
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
  });
  let connected = false;
  let failure: string | undefined;
  let clientFailed = false;
  const timer = setTimeout(() => {
    failure ??= "upstream-unreachable";
    upstream.destroy();
  }, parts.timeouts.connect);
  upstream.once("connect", () => {
    connected = true;
    clearTimeout(timer);
    socket.pipe(upstream);
    upstream.pipe(socket);
  });
  upstream.on("error", (error) => {
    if (!clientFailed) failure ??= connected ? "upstream-unreachable" : nameFailure(error);
  });
  socket.on("error", () => {
    clientFailed = true;
  });
  socket.once("close", () => {
    // A bot that closed without waiting for the end of the other half has gone away.
    if (failure === undefined && !upstream.readableEnded) clientFailed = true;
    upstream.destroy();
  });
  upstream.once("close", () => {
    clearTimeout(timer);
    const counts = { bytesOut: upstream.bytesWritten, bytesIn: upstream.bytesRead };
    if (failure !== undefined) {
      // A reset, so that half of something isn't taken for a whole.
      socket.resetAndDestroy();
      open.end({ outcome: "upstream-error", code: failure, ...counts });
      return;
    }
    if (!socket.writableFinished && !socket.writableEnded) socket.destroy();
    open.end({ outcome: clientFailed ? "client-abort" : "done", ...counts });
  });
}
