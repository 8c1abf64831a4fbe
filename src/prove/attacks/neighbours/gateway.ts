import type { Attack } from "../../Attack.ts";
import { reachStandIn } from "../../inside/sockets.ts";

export const neighbourGateway: Attack = {
  name: "neighbour-gateway",
  group: "other bots",
  tries: "reach another bot's gateway at its port on the host's loopback",
  run: ({ field, tag }) =>
    reachStandIn({ host: "127.0.0.1", port: field.neighbour.port }, tag, "the other's gateway"),
};
