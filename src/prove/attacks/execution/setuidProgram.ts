import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Attack } from "../../Attack.ts";
import { refusedProgram } from "../../inside/execute.ts";
import { codeOf, held, through, untried } from "../../inside/findings.ts";

export const setuidProgram: Attack = {
  name: "setuid-program",
  group: "execution",
  tries: "become root through a program with the set-uid bit",
  run: ({ field }) => {
    const status = readFileSync("/proc/self/status", "utf8");
    const bound = /^NoNewPrivs:\s*1$/m.test(status);
    if (field.setuid === undefined)
      return bound
        ? held("no new privileges", "none could be planted, but such bits have no effect here")
        : untried("only root can plant such a program");
    const { error, status: code } = spawnSync(field.setuid, [], { timeout: 5_000 });
    if (error !== undefined) return refusedProgram(field.setuid, codeOf(error));
    if (code === 0) return through("it ran as root");
    return held(bound ? "no new privileges" : "user namespace", `it ran as ${code}, not as root`);
  },
};
