import type { Attack } from "../../Attack.ts";
import { reachSockets } from "../../inside/sockets.ts";

export const neighbourSocket: Attack = {
  name: "neighbour-socket",
  group: "other bots",
  tries: "connect to an abstract Unix socket of another bot",
  run: ({ field, tag }) =>
    reachSockets([{ path: `@${field.neighbour.abstract}`, planted: true }], tag),
};
