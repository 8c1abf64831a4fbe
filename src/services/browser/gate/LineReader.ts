import type { Socket } from "node:net";

/**
 * Calls `onLine` with each line of a connection. A line that would be longer than `longest` bytes ends the
 * connection.
 */
export function readLines(socket: Socket, longest: number, onLine: (line: string) => void): void {
  let held: Buffer[] = [];
  let size = 0;
  socket.on("data", (chunk: Buffer) => {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = Buffer.concat([...held, rest.subarray(0, end)]).toString("utf8");
      held = [];
      size = 0;
      rest = rest.subarray(end + 1);
      onLine(line);
    }
    size += rest.length;
    if (size > longest) {
      socket.destroy();
      return;
    }
    if (rest.length > 0) held.push(rest);
  });
}
