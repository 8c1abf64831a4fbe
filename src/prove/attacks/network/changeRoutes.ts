import type { Attack } from "../../Attack.ts";
import { netlink, RTM_NEWROUTE, route } from "../../inside/netlink.ts";

export const changeRoutes: Attack = {
  name: "change-routes",
  group: "network",
  tries: "change the routes of its network over netlink",
  run: ({ kernel }) => netlink(kernel, RTM_NEWROUTE, route("203.0.113.0", 24)),
};
