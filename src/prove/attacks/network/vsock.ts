import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const AF_VSOCK = 40;
const SOCK_STREAM = 1;

export const vsock: Attack = {
  name: "vsock",
  group: "network",
  tries: "talk to the hypervisor over a vsock",
  run: ({ kernel }) =>
    attempt(kernel, [["socket", AF_VSOCK, SOCK_STREAM, 0]], { success: "a vsock" }),
};
