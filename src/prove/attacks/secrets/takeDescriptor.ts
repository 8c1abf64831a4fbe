import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { tryEach } from "../../inside/findings.ts";
import { targets } from "../../inside/processes.ts";

export const takeDescriptor: Attack = {
  name: "take-descriptor",
  group: "secrets",
  tries: "take an open descriptor out of another process (pidfd_getfd)",
  run: ({ kernel, field }) =>
    tryEach(targets(field), (pid) =>
      attempt(kernel, [
        ["pidfd_open", pid, 0],
        ["pidfd_getfd", { result: 0 }, 1, 0],
      ]),
    ),
};
