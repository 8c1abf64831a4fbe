import type { Attack } from "../../Attack.ts";
import { held, through, tryEach } from "../../inside/findings.ts";
import { layerOfConnect, wayTo } from "../../inside/sockets.ts";

export const broadcast: Attack = {
  name: "multicast",
  group: "network",
  tries: "reach the local network by multicast and broadcast (mDNS, SSDP)",
  run: () =>
    tryEach(["224.0.0.251", "239.255.255.250", "ff02::fb%eth0"], async (address) => {
      const way = await wayTo(address);
      if (way.kind === "out") return through(`packets to ${address} would leave from ${way.from}`);
      if (way.kind === "own")
        return held("network namespace", "only a loopback interface is there");
      return held(layerOfConnect(way.error), `${address}: ${way.error}`);
    }),
};
