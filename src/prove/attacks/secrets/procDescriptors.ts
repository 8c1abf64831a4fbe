import { constants, readdirSync } from "node:fs";
import type { Attack } from "../../Attack.ts";
import { readFiles, refusedFile } from "../../inside/files.ts";
import { codeOf, held, tryEach } from "../../inside/findings.ts";
import { targets } from "../../inside/processes.ts";

export const procDescriptors: Attack = {
  name: "proc-descriptors",
  group: "secrets",
  tries: "read what other processes have open, through /proc/PID/fd",
  run: ({ field }) =>
    tryEach(targets(field), (pid) => {
      const folder = `/proc/${pid}/fd`;
      let names: string[];
      try {
        names = readdirSync(folder);
      } catch (error) {
        return refusedFile(folder, codeOf(error), constants.R_OK);
      }
      if (names.length === 0) return held("kernel", `${folder}: nothing is open`);
      // Reading a pipe would take what is somebody else's.
      return readFiles([`${folder}/`]);
    }),
};
