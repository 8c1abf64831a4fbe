import type { Attack } from "../../Attack.ts";
import { reachSockets } from "../../inside/sockets.ts";

export const serviceSockets: Attack = {
  name: "service-sockets",
  group: "network",
  tries: "connect to systemd, databases and other services by their Unix sockets",
  run: ({ field, tag }) => reachSockets(field.sockets.services, tag),
};
