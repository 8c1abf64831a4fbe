import type { Attack } from "../../Attack.ts";
import { address, netlink, RTM_NEWADDR } from "../../inside/netlink.ts";

export const changeAddresses: Attack = {
  name: "change-addresses",
  group: "network",
  tries: "give its interface another address over netlink",
  run: ({ kernel }) => netlink(kernel, RTM_NEWADDR, address("203.0.113.9", 32)),
};
