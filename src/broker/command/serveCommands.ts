import { createServer, Socket } from "node:net";
import type { BrokerParts } from "../call/BrokerParts.ts";
import type { RawHandle } from "../listeners/Listeners.ts";
import { CommandSocket } from "./CommandSocket.ts";
import { openPeerCheck } from "./peerUid.ts";
import { readRequest } from "./readRequest.ts";
import { EXIT, fail, runCommand } from "./runCommand.ts";

/** A libuv handle of a Unix socket, as Node hands it over: `net.Server` takes only TCP ones this way (lib/net.js). */
interface PipeHandle extends RawHandle {
  onconnection?: (status: number, client: object | undefined) => void;
  listen(backlog: number): number;
}

const BACKLOG = 511;
/** A bot that has more commands open at once is refused further ones: the broker serves the others too. */
const MOST_OPEN = 256;

/**
 * Takes a bot's socket for client commands over. From now on its owner is this process, which the client
 * sees by SO_PEERCRED; and only processes of `uid` are answered.
 *
 * @returns what closes it; commands that are open go on.
 */
export function serveCommands(
  parts: BrokerParts,
  { bot, uid }: { readonly bot: string; readonly uid: number },
  handle: RawHandle,
  connections: Set<Socket>,
): () => void {
  const peerUid = openPeerCheck();
  const accept = (socket: Socket): void => {
    // Nobody but the bot can reach it; what can't be checked, or is somebody else, gets no answer.
    const peer = peerUid?.(socket);
    if (peer !== uid) {
      parts.repeats.note({ bot, kind: "command" }, { outcome: "refused", code: "foreign-peer" });
      socket.destroy();
      return;
    }
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
    const taken = new CommandSocket(socket);
    if (connections.size > MOST_OPEN) {
      parts.repeats.note(
        { bot, kind: "command" },
        { outcome: "refused", code: "too-many-connections" },
      );
      const error = {
        type: "seawall_refused",
        code: "too-many-connections",
        message: "too many commands at once",
      };
      void fail({ client: taken }, EXIT.refused, error).then((code) => {
        taken.exit(code);
      });
      return;
    }
    void serve(parts, bot, taken);
  };
  const failed = (): void =>
    parts.send({
      type: "health",
      key: `commands:${bot}`,
      warning: `the client commands of bot "${bot}" can't be served`,
    });
  if ("fd" in handle && typeof handle.fd === "number") {
    // Somebody else listens on it already: systemd.
    const server = createServer({ allowHalfOpen: true }, accept);
    server.on("error", failed);
    server.listen({ fd: handle.fd });
    return () => server.close();
  }
  const pipe = handle as PipeHandle;
  pipe.onconnection = (status, client) => {
    if (status !== 0 || client === undefined) return;
    const options: object = { handle: client, allowHalfOpen: true, readable: true, writable: true };
    accept(new Socket(options));
  };
  if (pipe.listen(BACKLOG) !== 0) failed();
  let open = true;
  return () => {
    if (open) pipe.close();
    open = false;
  };
}

async function serve(parts: BrokerParts, bot: string, client: CommandSocket): Promise<void> {
  const line = await client.readLine(parts.timeouts.head);
  const request = line === undefined ? undefined : readRequest(line);
  if (request === undefined) {
    parts.repeats.note({ bot, kind: "command" }, { outcome: "refused", code: "malformed-request" });
    client.exit(
      await fail({ client }, EXIT.usage, {
        type: "seawall_refused",
        code: "malformed-request",
        message: "this is not a request of a client command",
      }),
    );
    return;
  }
  // A bug of ours in one command must not take the others down.
  const code = await runCommand({ parts, bot, client, request }).catch(() => EXIT.internal);
  client.exit(code);
}
