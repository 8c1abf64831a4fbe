import type { Attack } from "../../Attack.ts";
import { reachSockets } from "../../inside/sockets.ts";

export const sessionBus: Attack = {
  name: "session-bus",
  group: "network",
  tries: "connect to the owner's session bus: keyring, desktop, user units",
  run: ({ field, tag }) => reachSockets(field.sockets.sessionBus, tag),
};
