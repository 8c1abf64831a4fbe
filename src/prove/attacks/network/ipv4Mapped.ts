import type { Attack } from "../../Attack.ts";
import { reachStandIn } from "../../inside/sockets.ts";

export const ipv4Mapped: Attack = {
  name: "ipv4-mapped",
  group: "network",
  tries: "reach the host's loopback by an IPv4-mapped IPv6 address",
  run: ({ field, tag }) =>
    reachStandIn(
      { host: "::ffff:127.0.0.1", port: field.loopback.tcp },
      tag,
      "the host's service at ::ffff:127.0.0.1",
    ),
};
