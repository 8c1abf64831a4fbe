import type { ToBroker } from "../../broker/index.ts";

/** `seawall-launch` hands over a socket it made inside the namespace; see docs/wall.md. */
export interface ListenerMessage {
  readonly type: "listener";
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly family: 4 | 6;
}

/** The Unix socket for client commands. */
export interface SocketMessage {
  readonly type: "listener";
  readonly protocol: "unix";
}

/** All it says, listeners and the dialer's answers. */
export type LaunchMessage =
  | ListenerMessage
  | SocketMessage
  | { readonly type: "dialed" }
  | { readonly type: "dial-failed"; readonly error: string };

/** What the broker is told of a bot's listener; `uid` is the bot's own where the supervisor is root. */
export function listenerOf(
  message: ListenerMessage | SocketMessage,
  { name, uid }: { readonly name: string; readonly uid?: number },
): Extract<ToBroker, { type: "listener" }> {
  return message.protocol === "unix"
    ? { ...message, bot: name, uid: uid ?? process.getuid?.() ?? -1 }
    : { ...message, bot: name };
}

/** Raw libuv handles aren't in Node's types; all of them can be closed. */
export function closeHandle(handle: unknown): void {
  if (handle !== null && typeof handle === "object" && "close" in handle) {
    (handle.close as () => void).call(handle);
  }
}
