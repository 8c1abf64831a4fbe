import net, { type Socket } from "node:net";

/** Keeps the state that NATs and firewalls hold for a connection alive while a model thinks for minutes. */
const KEEP_ALIVE_MS = 30_000;

/**
 * A TCP connection to an IP address; nothing is resolved. An `error` listener that does nothing stays
 * on the socket, so that a failure before its user listens doesn't end the process.
 *
 * @throws what the system says, or the signal's reason; the socket is then closed.
 */
export function connectTcp(
  address: string,
  port: number,
  options: { readonly signal: AbortSignal; readonly allowHalfOpen: boolean },
): Promise<Socket> {
  const { signal, allowHalfOpen } = options;
  if (net.isIP(address) === 0) return Promise.reject(new TypeError("not an address"));
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = net.connect({
      host: address,
      port,
      allowHalfOpen,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    const abort = (): void => {
      socket.destroy();
      reject(asError(signal.reason));
    };
    signal.addEventListener("abort", abort, { once: true });
    socket.once("connect", () => {
      signal.removeEventListener("abort", abort);
      resolve(socket);
    });
    socket.on("error", (error) => {
      signal.removeEventListener("abort", abort);
      reject(error);
    });
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("given up");
}
