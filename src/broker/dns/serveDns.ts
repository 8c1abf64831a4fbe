import type { Socket as UdpSocket } from "node:dgram";
import type { Socket } from "node:net";
import { answer, type Answer, type Names } from "./answer.ts";

/** For a question over TCP to come, from the connection's beginning or the last answer on, however it trickles in. */
const QUESTION_MS = 10_000;

export interface DnsRoom {
  /** The names of the bot at this moment. */
  names(): Names;
  /** A name was asked for that nobody granted. */
  ungranted(name: string): void;
}

/** Answers datagrams out of the socket they come in by. */
export function serveDnsOverUdp(socket: UdpSocket, room: DnsRoom): void {
  socket.on("message", (message, peer) => {
    const reply = ask(message, room);
    // A reply that can't be sent is lost like any datagram; the resolver asks again.
    if (reply !== undefined) socket.send(reply.bytes, peer.port, peer.address, () => undefined);
  });
}

/** Answers on one TCP connection: each message has its length before it (RFC 1035 section 4.2.2). */
export function serveDnsOverTcp(socket: Socket, room: DnsRoom, questionMs = QUESTION_MS): void {
  let waiting = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), questionMs);
  socket.once("close", () => {
    clearTimeout(timer);
  });
  socket.on("error", () => socket.destroy());
  socket.on("end", () => socket.end());
  socket.on("data", (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= 2) {
      const length = waiting.readUInt16BE(0);
      // No question needs more (255 octets of name, an OPT record); a longer one is refused before it is collected.
      if (length > 1024) {
        socket.destroy();
        return;
      }
      if (waiting.length < 2 + length) return;
      const reply = ask(waiting.subarray(2, 2 + length), room);
      waiting = waiting.subarray(2 + length);
      if (reply === undefined) {
        socket.destroy();
        return;
      }
      timer.refresh();
      const prefix = Buffer.alloc(2);
      prefix.writeUInt16BE(reply.bytes.length);
      socket.write(Buffer.concat([prefix, reply.bytes]));
    }
    // Answers that aren't read pile up: whoever doesn't read them asks no more.
    if (socket.writableNeedDrain) {
      socket.pause();
      socket.once("drain", () => socket.resume());
    }
  });
}

function ask(message: Buffer, room: DnsRoom): Answer | undefined {
  const reply = answer(message, room.names());
  if (reply?.ungranted !== undefined) room.ungranted(reply.ungranted);
  return reply;
}
