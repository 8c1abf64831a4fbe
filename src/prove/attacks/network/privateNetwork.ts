import type { Attack } from "../../Attack.ts";
import { tryEach } from "../../inside/findings.ts";
import { connectInside, reachAddress } from "../../inside/sockets.ts";

export const privateNetwork: Attack = {
  name: "private-network",
  group: "network",
  tries: "reach neighbours on private networks: routers, databases, printers",
  run: ({ tag }) =>
    tryEach(["192.168.1.1", "10.0.0.1", "172.17.0.1", "fd00::1"], (address) =>
      reachAddress(address, () =>
        tryEach([80, 443, 5432, 2375], (port) => connectInside(address, port, `${tag}\n`)),
      ),
    ),
};
