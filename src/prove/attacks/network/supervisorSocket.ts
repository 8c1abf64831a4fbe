import type { Attack } from "../../Attack.ts";
import { reachSockets } from "../../inside/sockets.ts";

export const supervisorSocket: Attack = {
  name: "supervisor-socket",
  group: "network",
  tries: "connect to the supervisor's control channel",
  run: ({ field, tag }) => reachSockets(field.sockets.supervisor, tag),
};
