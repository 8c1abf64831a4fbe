import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";
import { tryEach } from "../../inside/findings.ts";

export const neighbourProcesses: Attack = {
  name: "neighbour-processes",
  group: "other bots",
  tries: "signal another bot's processes",
  run: ({ kernel, field }) =>
    tryEach(field.neighbour.pids, (pid) =>
      attempt(kernel, [["kill", pid, 0]], { otherwise: "Landlock" }),
    ),
};
