import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { tryEach } from "../../inside/findings.ts";

const SOCK_RAW = 3;
const IPPROTO_RAW = 255;

export const rawSocket: Attack = {
  name: "raw-socket",
  group: "network",
  tries: "make its own IP packets with raw sockets",
  run: ({ kernel }) =>
    tryEach([2, 10], (family) =>
      attempt(kernel, [["socket", family, SOCK_RAW, IPPROTO_RAW]], { success: "a raw socket" }),
    ),
};
