import { randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { SeawallError } from "../../faults/index.ts";
import { HostError } from "../HostError.ts";
import { socketPath } from "./socketPath.ts";
import type { ControlAddress, ControlFailure, ControlReply, ControlRequest } from "./protocol.ts";

const LONGEST_REQUEST = 64 * 1024;

/** Answers a request; what it throws is sent back as an error. */
export type ControlHandler = (
  request: ControlRequest,
  reply: (reply: ControlReply) => void,
) => Promise<void>;

/**
 * Listens for commands on an abstract Unix socket (unix(7)) of an unguessable name, or at a path in a folder
 * that only its owner may enter: macOS has no abstract ones.
 *
 * @throws HostError `no-access` when that path is too long.
 */
export async function serveControl(
  handler: ControlHandler,
  folder?: string,
): Promise<{ readonly address: ControlAddress; readonly server: Server }> {
  const token = randomBytes(32).toString("hex");
  const socket =
    folder !== undefined ? freePath(folder) : `seawall-${randomBytes(16).toString("hex")}`;
  const server = createServer((connection) => {
    // A client that goes away in the middle is no concern of ours.
    connection.on("error", () => connection.destroy());
    void answer(connection, token, handler);
  });
  server.listen(socketPath(socket));
  await once(server, "listening");
  return { address: { pid: process.pid, socket, token }, server };
}

/** Whoever had it before is gone: there is one supervisor at a time. */
function freePath(folder: string): string {
  const path = join(folder, "control");
  // <sys/un.h> of macOS: 104 bytes with the NUL.
  if (Buffer.byteLength(path) > 103)
    throw new HostError("no-access", "the state folder's path is too long for a socket", {
      where: folder,
      hint: "name a shorter one with SEAWALL_STATE",
    });
  rmSync(path, { force: true });
  return path;
}

async function answer(connection: Socket, token: string, handler: ControlHandler): Promise<void> {
  const reply = (message: ControlReply): void => {
    if (connection.writable) connection.write(`${JSON.stringify(message)}\n`);
  };
  try {
    const [given, request] = await readRequest(connection);
    if (!sameToken(given, token)) {
      connection.destroy();
      return;
    }
    await handler(request, reply);
  } catch (error) {
    reply({ kind: "error", error: toFailure(error) });
  }
  connection.end();
}

/** The first line: the token, a space, the request as JSON. */
async function readRequest(connection: Socket): Promise<[token: string, ControlRequest]> {
  let text = "";
  for await (const chunk of connection.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    const end = text.indexOf("\n");
    if (end >= 0) {
      const space = text.indexOf(" ");
      return [text.slice(0, space), JSON.parse(text.slice(space + 1, end)) as ControlRequest];
    }
    if (text.length > LONGEST_REQUEST) break;
  }
  throw new Error("the request ended early");
}

function sameToken(given: string, token: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(token);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The form in which an error leaves the supervisor. */
export function toFailure(error: unknown): ControlFailure {
  if (error instanceof SeawallError) {
    const { code, message, hint, where, exitCode } = error;
    return {
      code,
      message,
      exitCode,
      ...(hint === undefined ? {} : { hint }),
      ...(where === undefined ? {} : { where }),
    };
  }
  return {
    code: "internal",
    message: error instanceof Error ? error.message : "unknown failure",
    exitCode: 70,
  };
}
