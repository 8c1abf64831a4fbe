import { constants } from "node:fs";
import type { Attack } from "../../Attack.ts";
import { refusedFile } from "../../inside/files.ts";
import { codeOf, held, through, tryEach } from "../../inside/findings.ts";
import { memoryHasMarker, targets } from "../../inside/processes.ts";

export const procMemory: Attack = {
  name: "proc-memory",
  group: "secrets",
  tries: "read the memory of every other process, the broker's and supervisor's among them",
  run: ({ field }) =>
    tryEach(targets(field), (pid) => {
      const file = `/proc/${pid}/mem`;
      try {
        if (memoryHasMarker(pid)) return through(`${file} has a planted secret`);
        return held("pid namespace", `${file}: nothing of anybody outside`);
      } catch (error) {
        return refusedFile(file, codeOf(error), constants.R_OK);
      }
    }),
};
