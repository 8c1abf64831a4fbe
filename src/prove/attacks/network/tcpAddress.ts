import type { Attack } from "../../Attack.ts";
import { tryEach } from "../../inside/findings.ts";
import { connectInside, reachAddress } from "../../inside/sockets.ts";

export const tcpAddress: Attack = {
  name: "tcp-address",
  group: "network",
  tries: "connect to hosts outside by their addresses, at granted and other ports",
  run: ({ tag }) =>
    tryEach(["1.1.1.1", "192.0.2.1", "198.51.100.7"], (address) =>
      reachAddress(address, () =>
        tryEach([443, 80, 22, 8080, 6667], (port) => connectInside(address, port, `${tag}\n`)),
      ),
    ),
};
