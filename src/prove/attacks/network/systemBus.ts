import type { Attack } from "../../Attack.ts";
import { reachSockets } from "../../inside/sockets.ts";

export const systemBus: Attack = {
  name: "system-bus",
  group: "network",
  tries: "connect to D-Bus's system bus, where systemd and others take orders",
  run: ({ field, tag }) => reachSockets(field.sockets.systemBus, tag),
};
