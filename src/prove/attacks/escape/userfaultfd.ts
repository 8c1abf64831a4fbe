import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const O_CLOEXEC = 0x8_0000;

export const userfaultfd: Attack = {
  name: "userfaultfd",
  group: "escape",
  tries: "hold the kernel at page faults (userfaultfd), as exploits do",
  run: ({ kernel }) => attempt(kernel, [["userfaultfd", O_CLOEXEC]]),
};
