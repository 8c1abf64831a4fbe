import type { Attack } from "../../Attack.ts";
import { reachSockets } from "../../inside/sockets.ts";

export const abstractSocket: Attack = {
  name: "abstract-socket",
  group: "network",
  tries: "connect to an abstract Unix socket of the host",
  run: ({ field, tag }) => reachSockets(field.sockets.abstract, tag),
};
