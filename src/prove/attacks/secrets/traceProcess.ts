import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { tryEach } from "../../inside/findings.ts";
import { targets } from "../../inside/processes.ts";

const PTRACE_SEIZE = 0x4206;

export const traceProcess: Attack = {
  name: "trace-process",
  group: "secrets",
  tries: "attach to other processes with ptrace(2), the broker and the launcher's among them",
  run: ({ kernel, field }) =>
    tryEach(targets(field), (pid) => attempt(kernel, [["ptrace", PTRACE_SEIZE, pid, 0, 0]])),
};
