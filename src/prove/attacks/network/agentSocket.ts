import type { Attack } from "../../Attack.ts";
import { reachSockets } from "../../inside/sockets.ts";

export const agentSocket: Attack = {
  name: "agent-socket",
  group: "network",
  tries: "use the owner's SSH and GPG agents",
  run: ({ field, tag }) => reachSockets(field.sockets.agents, tag),
};
