/** `seawall-launch` hands over a socket it made inside the namespace; see docs/wall.md. */
export interface ListenerMessage {
  readonly type: "listener";
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly family: 4 | 6;
}

/** All it says, listeners and the dialer's answers. */
export type LaunchMessage =
  | ListenerMessage
  | { readonly type: "dialed" }
  | { readonly type: "dial-failed"; readonly error: string };

/** Raw libuv handles aren't in Node's types; all of them can be closed. */
export function closeHandle(handle: unknown): void {
  if (handle !== null && typeof handle === "object" && "close" in handle) {
    (handle.close as () => void).call(handle);
  }
}
