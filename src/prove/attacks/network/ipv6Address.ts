import type { Attack } from "../../Attack.ts";
import { tryEach } from "../../inside/findings.ts";
import { connectInside, reachAddress } from "../../inside/sockets.ts";

export const ipv6Address: Attack = {
  name: "ipv6-address",
  group: "network",
  tries: "connect to hosts outside over IPv6",
  run: ({ tag }) =>
    tryEach(["2606:4700:4700::1111", "2001:db8::1"], (address) =>
      reachAddress(address, () =>
        tryEach([443, 80, 22], (port) => connectInside(address, port, `${tag}\n`)),
      ),
    ),
};
