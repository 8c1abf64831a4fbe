import type { Attack } from "../../Attack.ts";
import { held, MARKER, through } from "../../inside/findings.ts";
import { ask, layerOfConnect } from "../../inside/sockets.ts";

export const hostLoopbackUdp: Attack = {
  name: "host-loopback-udp",
  group: "network",
  tries: "reach a service on the host's loopback over UDP",
  run: async ({ field, tag }) => {
    const { reply, error } = await ask("127.0.0.1", field.loopback.udp, Buffer.from(tag));
    if (reply !== undefined && MARKER.test(reply.toString("latin1")))
      return through("the host's service answered");
    return held(layerOfConnect(error ?? ""), `127.0.0.1: ${error ?? "another answer"}`);
  },
};
