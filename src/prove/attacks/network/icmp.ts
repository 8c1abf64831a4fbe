import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { tryEach } from "../../inside/findings.ts";

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const IPPROTO_ICMP = 1;

export const icmp: Attack = {
  name: "icmp",
  group: "network",
  tries: "carry data in pings: ICMP sockets, with and without privilege",
  run: ({ kernel }) =>
    tryEach([SOCK_DGRAM, SOCK_RAW], (type) =>
      attempt(kernel, [["socket", AF_INET, type, IPPROTO_ICMP]], { success: "an ICMP socket" }),
    ),
};
