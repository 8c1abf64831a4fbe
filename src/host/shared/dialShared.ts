import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { listenerByLsof } from "../mac/listenerByLsof.ts";

const TIMEOUT_MS = 5_000;
/** TCP_LISTEN of include/net/tcp_states.h, as /proc/net/tcp has it. */
const LISTEN = "0A";

/**
 * A connection to the gateway of a bot without a network of its own. Its port is one that any process of
 * the host could listen at while the bot is away, and a call has the gateway's token: whose it is, is looked up.
 *
 * @returns the raw handle, or the code of what went wrong; `EACCES` when another user listens there.
 */
export function dialShared(
  port: number,
  owner: number,
): Promise<{ readonly handle: unknown } | { readonly error: string }> {
  const { promise, resolve } = Promise.withResolvers<
    { readonly handle: unknown } | { readonly error: string }
  >();
  const socket = connect({ port, host: "127.0.0.1" });
  // Else what the gateway says would be read here.
  socket.pause();
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("ETIMEDOUT")));
  socket.on("error", (error: NodeJS.ErrnoException) =>
    resolve({ error: error.code ?? error.message }),
  );
  const give = (listener: number | undefined): void => {
    if (listener !== owner || socket.destroyed) {
      socket.destroy();
      resolve({ error: "EACCES" });
      return;
    }
    socket.setTimeout(0);
    resolve({ handle: detach(socket) });
  };
  socket.once("connect", () => {
    if (process.platform === "darwin") void listenerByLsof(port).then(give);
    else give(listenerOf(port));
  });
  return promise;
}

/** The uid of whoever listens at a port of 127.0.0.1 (proc_pid_net(5)). */
export function listenerOf(
  port: number,
  table: string = readFileSync("/proc/net/tcp", "utf8"),
): number | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  // Addresses are hexadecimal in the machine's own order; both architectures have the low byte first.
  const wanted = [`0100007F:${hex}`, `00000000:${hex}`];
  const rows = table.split("\n").map((line) => line.trim().split(/\s+/));
  // What is bound to the very address gets the connections.
  for (const address of wanted) {
    const row = rows.find(([, local, , state]) => local === address && state === LISTEN);
    if (row !== undefined) return Number(row[7]);
  }
  return undefined;
}

/** Takes the handle out of a socket, which then has none to close (lib/net.js; measured with Node 24.21). */
function detach(socket: ReturnType<typeof connect>): unknown {
  const holder = socket as unknown as { _handle: unknown };
  const { _handle: handle } = holder;
  holder._handle = null;
  return handle;
}
