import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { tryEach } from "../../inside/findings.ts";

const PTRACE_SEIZE = 0x4206;

export const traceLauncher: Attack = {
  name: "trace-launcher",
  group: "escape",
  tries: "attach to the process that started it, which may do more",
  run: ({ kernel }) =>
    tryEach(
      [...new Set([process.ppid, 1])].filter((pid) => pid > 0),
      (pid) => attempt(kernel, [["ptrace", PTRACE_SEIZE, pid, 0, 0]]),
    ),
};
