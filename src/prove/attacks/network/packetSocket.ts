import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const AF_PACKET = 17;
const SOCK_RAW = 3;
const ETH_P_ALL = 0x0300;

export const packetSocket: Attack = {
  name: "packet-socket",
  group: "network",
  tries: "listen to and send frames with a packet socket",
  run: ({ kernel }) =>
    attempt(kernel, [["socket", AF_PACKET, SOCK_RAW, ETH_P_ALL]], { success: "a packet socket" }),
};
