import type { Attack } from "../../Attack.ts";
import { tryEach } from "../../inside/findings.ts";
import { reachStandIn } from "../../inside/sockets.ts";

export const hostLoopback: Attack = {
  name: "host-loopback",
  group: "network",
  tries: "reach a service on the host's loopback over TCP",
  run: ({ field, tag }) => {
    const { tcp, tcp6 } = field.loopback;
    const places = [
      ["127.0.0.1", tcp],
      ["0.0.0.0", tcp],
      ...(tcp6 === undefined ? [] : [["::1", tcp6] as const]),
    ] as const;
    return tryEach(places, ([host, port]) =>
      reachStandIn({ host, port }, tag, `the host's service at ${host}`),
    );
  },
};
