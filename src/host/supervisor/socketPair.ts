import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { once } from "node:events";
import net from "node:net";
import { join } from "node:path";

/**
 * Two ends of one connection, as raw handles, for two other processes: neither is read here. Node has no
 * socketpair(2), so it is made by way of a socket in a folder of one's own; the folder goes at once.
 *
 * @param folder only its owner may enter it.
 */
export async function socketPair(folder: string): Promise<readonly [object, object]> {
  const place = mkdtempSync(join(folder, "pair-"));
  const fd = openSync(place, "r");
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true });
  try {
    // Whatever the folder's path, this is short enough for a socket's name (unix(7): 108 bytes).
    const path = `/proc/self/fd/${fd}/s`;
    server.listen(path);
    await once(server, "listening");
    const accepted = once(server, "connection") as Promise<[net.Socket]>;
    const one = new net.Socket({ allowHalfOpen: true });
    one.pause();
    one.connect({ path });
    const [[other]] = await Promise.all([accepted, once(one, "connect")]);
    return [handleOf(one), handleOf(other)];
  } finally {
    server.close();
    closeSync(fd);
    rmSync(place, { recursive: true, force: true });
  }
}

/** What is below a socket, and what processes are given; Node's types don't have it. */
function handleOf(socket: net.Socket): object {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) throw new Error("the socket is closed");
  return handle;
}
