import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const READ_ALL = 3;

export const kernelLog: Attack = {
  name: "kernel-log",
  group: "secrets",
  tries: "read the kernel's log, where addresses and other programs' faults stand",
  run: ({ kernel }) => attempt(kernel, [["syslog", READ_ALL, Buffer.alloc(4096), 4096]]),
};
