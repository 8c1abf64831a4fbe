import { constants } from "node:fs";
import type { Attack } from "../../Attack.ts";
import { refusedFile } from "../../inside/files.ts";
import { codeOf, held, through, tryEach } from "../../inside/findings.ts";
import { fileHasMarker, targets } from "../../inside/processes.ts";

export const procEnvironment: Attack = {
  name: "proc-environment",
  group: "secrets",
  tries: "read the environment of every other process",
  run: ({ field }) =>
    tryEach(targets(field), (pid) => {
      const file = `/proc/${pid}/environ`;
      try {
        if (fileHasMarker(file)) return through(`${file} has a planted secret`);
        return held("pid namespace", `${file}: nothing of anybody outside`);
      } catch (error) {
        return refusedFile(file, codeOf(error), constants.R_OK);
      }
    }),
};
