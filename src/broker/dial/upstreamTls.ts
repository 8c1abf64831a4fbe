import { constants } from "node:crypto";
import { isIP, type Socket } from "node:net";
import tls, { type SecureContext, type TLSSocket } from "node:tls";
import type { Granted } from "../Deployment.ts";
import { DialError } from "./DialError.ts";
import { isNetworkFailure } from "./nameFailure.ts";

/** A certificate that the upstream knows the bot's owner by, PEM. */
export interface ClientCertificate {
  /** The leaf, then what leads to its root. */
  readonly cert: string;
  readonly key: string;
}

/**
 * What connections to one granted host have in common: TLS 1.2 or later, the grant's own CA in place
 * of the public ones, the client certificate. Making it costs milliseconds where there is a CA, so it is
 * kept with the pool and never used for another grant.
 *
 * @throws DialError `secret-unavailable` for a client certificate that can't be used.
 */
export function makeUpstreamContext(
  { grant }: Granted,
  clientCertificate?: ClientCertificate,
): SecureContext {
  const ca = grant.dial?.ca;
  const common = {
    minVersion: "TLSv1.2" as const,
    // A renegotiation could bring another certificate, which nobody would look at.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ...(ca === undefined ? {} : { ca }),
  };
  if (clientCertificate === undefined) return tls.createSecureContext(common);
  try {
    const { cert, key } = clientCertificate;
    return tls.createSecureContext({ ...common, cert, key });
  } catch (cause) {
    throw new DialError("secret-unavailable", "the client certificate can't be used", { cause });
  }
}

/**
 * What a TLS session is resumed by. A resumed handshake shows no certificate (measured with Node 24.21,
 * TLS 1.2 and 1.3), so a session counts for the name and the context it was made with, and no others.
 */
export interface UpstreamSession {
  readonly ticket: Buffer;
  readonly name: string;
  readonly context: SecureContext;
}

export interface UpstreamTlsOptions {
  /** By preference; the first is what an upstream without ALPN is taken to speak. */
  readonly alpn: readonly string[];
  readonly context: SecureContext;
  readonly session: UpstreamSession | undefined;
  readonly onSession: ((session: UpstreamSession) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Makes a connection TLS and holds the upstream to the granted name, whatever was dialled: a chain to a
 * trusted CA, valid today, and the name or address in it.
 *
 * @throws DialError `upstream-untrusted`, or `upstream-unreachable` when the connection broke; the
 * sockets are then closed.
 */
export function secureUpstream(
  { host }: Granted,
  socket: Socket,
  options: UpstreamTlsOptions,
): Promise<TLSSocket> {
  const { alpn, context, session, onSession, signal } = options;
  const resumable = session?.name === host.name && session.context === context;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const secure = tls.connect({
      socket,
      secureContext: context,
      rejectUnauthorized: true,
      // An IP literal is no server name (RFC 6066 section 3); the certificate is checked against it all the same.
      servername: isIP(host.name) === 0 ? host.name : "",
      checkServerIdentity: (_dialled, certificate) =>
        tls.checkServerIdentity(host.name, certificate),
      ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
      ...(resumable ? { session: session.ticket } : {}),
    });
    const fail = (error: Error): void => {
      settle();
      secure.destroy();
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => {
      fail(signal.reason as Error);
    };
    const onError = (cause: Error): void => {
      const refused = isNetworkFailure(cause) ? "upstream-unreachable" : "upstream-untrusted";
      fail(new DialError(refused, "no TLS with the host", { cause }));
    };
    const onClose = (): void => {
      fail(new DialError("upstream-unreachable", "the host closed the connection"));
    };
    const settle = (): void => {
      signal.removeEventListener("abort", onAbort);
      secure.off("error", onError);
      secure.off("close", onClose);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    secure.on("error", () => undefined);
    secure.on("error", onError);
    secure.on("close", onClose);
    if (onSession !== undefined)
      secure.on("session", (ticket) => {
        onSession({ ticket, name: host.name, context });
      });
    secure.once("secureConnect", () => {
      if (!secure.authorized) {
        fail(new DialError("upstream-untrusted", "the certificate is not trusted"));
        return;
      }
      settle();
      resolve(secure);
    });
  });
}
