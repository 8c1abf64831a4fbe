import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { tryEach } from "../../inside/findings.ts";

export const signalLauncher: Attack = {
  name: "signal-launcher",
  group: "escape",
  tries: "signal the process that started it and others outside",
  run: ({ kernel, field }) => {
    const pids = [process.ppid, 1, ...field.processes.map(({ pid }) => pid)];
    return tryEach(
      [...new Set(pids)].filter((pid) => pid > 0 && pid !== process.pid),
      // Signal 0 only asks.
      (pid) => attempt(kernel, [["kill", pid, 0]], { otherwise: "Landlock" }),
    );
  },
};
