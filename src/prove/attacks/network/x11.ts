import type { Attack } from "../../Attack.ts";
import { reachSockets } from "../../inside/sockets.ts";

export const x11: Attack = {
  name: "x11",
  group: "network",
  tries: "connect to the owner's display, by path and abstract name: keys, screen, clipboard",
  run: ({ field, tag }) => reachSockets(field.sockets.x11, tag),
};
