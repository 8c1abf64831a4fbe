import { constants } from "node:crypto";
import type { Socket } from "node:net";
import tls, { type SecureContext, TLSSocket } from "node:tls";
import { BrokerError } from "../BrokerError.ts";

/**
 * Ends TLS for one bot with its certificate. Tickets are sealed with keys of this object's own, so that
 * a session resumes only here, and by OpenSSL only under the server name it was made with. There is no
 * early data (OpenSSL accepts none unless it is asked to) and no renegotiation.
 */
export class TlsEnd {
  readonly #context: SecureContext;
  readonly #alpn: string[];
  readonly #handshakeMs: number;

  /**
   * @param alpn what is spoken here, by preference; a client that offers only others gets the alert for it
   * (RFC 7301 section 3.2).
   * @param handshakeMs from the ClientHello, which is there already, to the end of the handshake.
   * @throws BrokerError `certificate-invalid`.
   */
  constructor(
    bot: string,
    certificate: { readonly chain: string; readonly key: string },
    alpn: readonly string[],
    handshakeMs = 15_000,
  ) {
    this.#alpn = [...alpn];
    this.#handshakeMs = handshakeMs;
    try {
      this.#context = tls.createSecureContext({
        cert: certificate.chain,
        key: certificate.key,
        minVersion: "TLSv1.2",
        honorCipherOrder: true,
        secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      });
    } catch (cause) {
      const message = `the certificate of bot "${bot}" can't be used`;
      throw new BrokerError("certificate-invalid", message, { cause });
    }
  }

  /**
   * Takes a connection over whose ClientHello was looked at and put back.
   *
   * @param serverName as it was read there. OpenSSL must have read the same; only on resuming by TLS 1.2
   * it reports none, and has compared the name with the ticket's instead (measured with Node 24.21).
   * @param done is called once, with `undefined` when the handshake came to nothing.
   */
  take(
    socket: Socket,
    serverName: string | undefined,
    done: (secure: TLSSocket | undefined) => void,
  ): void {
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: this.#context,
      ALPNProtocols: this.#alpn,
    });
    const fail = (): void => {
      settle();
      secure.destroy();
      done(undefined);
    };
    const onSecure = (): void => {
      const read = typeof secure.servername === "string" ? secure.servername : undefined;
      const resumed = read === undefined && secure.isSessionReused();
      if (!resumed && read?.toLowerCase() !== serverName) {
        fail();
        return;
      }
      settle();
      done(secure);
    };
    const timer = setTimeout(fail, this.#handshakeMs);
    // Where the peer closes in the middle of a handshake, the end shows only to who reads.
    const onReadable = (): void => {
      secure.read(0);
    };
    const settle = (): void => {
      clearTimeout(timer);
      secure.off("readable", onReadable);
      secure.off("end", fail);
      secure.off("secure", onSecure);
      secure.off("error", fail);
      secure.off("close", fail);
    };
    // Stays: an error before the next one listens must not end the process.
    secure.on("error", () => undefined);
    secure.on("error", fail);
    secure.on("close", fail);
    secure.on("end", fail);
    secure.on("readable", onReadable);
    secure.on("secure", onSecure);
  }
}
