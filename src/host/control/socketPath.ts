/** What node:net takes for a socket of ControlAddress: a path, or a name without a file (unix(7)). */
export function socketPath(socket: string): string {
  return socket.startsWith("/") ? socket : `\0${socket}`;
}
