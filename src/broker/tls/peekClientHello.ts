import type { Socket } from "node:net";
import type { RefusalCode } from "../Refusal.ts";
import { parseClientHello, type ClientHello } from "./parseClientHello.ts";

/** Handshake bytes plus record headers; beyond it no well-formed ClientHello can be coming. */
const MOST_BYTES = 17 * 1024;

export type PeekResult =
  { readonly hello: ClientHello } | { readonly refused: RefusalCode } | { readonly gone: true };

/**
 * Reads a connection's ClientHello and puts the bytes back, so that whoever takes the socket next
 * finds it as if nobody had looked. Calls back once, when it is there, wrong, late or the peer gone.
 *
 * @param timeoutMs from now to the last byte of it, however it trickles in.
 */
export function peekClientHello(
  socket: Socket,
  timeoutMs: number,
  done: (result: PeekResult) => void,
): void {
  let bytes = Buffer.alloc(0);
  const finish = (result: PeekResult): void => {
    clearTimeout(timer);
    socket.off("readable", onReadable);
    socket.off("end", onGone);
    socket.off("close", onGone);
    if (bytes.length > 0 && !socket.destroyed) socket.unshift(bytes);
    done(result);
  };
  const onReadable = (): void => {
    for (let chunk: unknown = socket.read(); chunk !== null; chunk = socket.read()) {
      if (Buffer.isBuffer(chunk)) bytes = Buffer.concat([bytes, chunk]);
    }
    if (bytes.length === 0) return;
    const result = parseClientHello(bytes);
    if ("hello" in result) finish(result);
    else if (result.fault === "not-tls") finish({ refused: "not-tls" });
    else if (result.fault === "invalid" || bytes.length > MOST_BYTES)
      finish({ refused: "client-hello-invalid" });
  };
  const onGone = (): void => {
    finish(bytes.length === 0 ? { gone: true } : { refused: "client-hello-invalid" });
  };
  const timer = setTimeout(() => {
    finish({ refused: "client-hello-slow" });
  }, timeoutMs);
  socket.on("readable", onReadable);
  socket.on("end", onGone);
  socket.on("close", onGone);
}
