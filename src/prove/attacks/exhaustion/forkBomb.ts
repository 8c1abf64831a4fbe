import type { Attack } from "../../Attack.ts";
import { judge } from "../../inside/attempt.ts";
import { held, through } from "../../inside/findings.ts";

export const forkBomb: Attack = {
  name: "fork-bomb",
  group: "exhaustion",
  tries: "make processes until the machine has no more",
  run: ({ kernel, field }) => {
    const { processes } = field.bounds;
    const made = kernel.bomb(processes, 30);
    if ("error" in made) return judge(kernel, "clone", made);
    if (made.value < processes) return held("limits", `stopped after ${made.value} processes`);
    return through(`${processes} processes, and nothing stopped it`);
  },
};
