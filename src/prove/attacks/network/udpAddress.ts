import type { Attack } from "../../Attack.ts";
import { held, through, tryEach } from "../../inside/findings.ts";
import { ask, layerOfConnect, reachAddress } from "../../inside/sockets.ts";

export const udpAddress: Attack = {
  name: "udp-address",
  group: "network",
  tries: "send datagrams to hosts outside, QUIC's and other ports",
  run: ({ tag }) =>
    tryEach(["1.1.1.1", "192.0.2.1", "2606:4700:4700::1111"], (address) =>
      reachAddress(address, () =>
        tryEach([443, 123, 4500], async (port) => {
          const { reply, error } = await ask(address, port, Buffer.from(tag), 500);
          if (reply !== undefined) return through(`${address} port ${port} answered`);
          return held(layerOfConnect(error ?? ""), `${address} is the namespace's own: ${error}`);
        }),
      ),
    ),
};
