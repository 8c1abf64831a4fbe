import type { Attack } from "../../Attack.ts";
import { reachSockets } from "../../inside/sockets.ts";

export const unixSocket: Attack = {
  name: "unix-socket",
  group: "network",
  tries: "connect to a Unix socket of the host by its path",
  run: ({ field, tag }) => reachSockets(field.sockets.plain, tag),
};
