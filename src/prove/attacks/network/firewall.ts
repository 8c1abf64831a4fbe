import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { tryEach } from "../../inside/findings.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
/** include/uapi/linux/netlink.h: kernel events, audit, firewall. */
const FAMILIES = { "kernel events": 15, audit: 9, netfilter: 12 } as const;

export const firewall: Attack = {
  name: "other-netlink",
  group: "network",
  tries: "open netlink sockets of the firewall, the audit system and kernel events",
  run: ({ kernel }) =>
    tryEach(Object.entries(FAMILIES), ([name, family]) =>
      attempt(kernel, [["socket", AF_NETLINK, SOCK_RAW, family]], {
        success: `a netlink socket for ${name}`,
      }),
    ),
};
