import type { Attack } from "../../Attack.ts";
import { reachSockets } from "../../inside/sockets.ts";

export const dockerSocket: Attack = {
  name: "docker-socket",
  group: "network",
  tries: "connect to Docker, Podman or containerd, which would run anything as root",
  run: ({ field, tag }) => reachSockets(field.sockets.docker, tag),
};
