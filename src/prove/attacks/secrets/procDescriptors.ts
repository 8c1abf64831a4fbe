import { closeSync, constants, openSync, readdirSync } from "node:fs";
import type { Attack } from "../../Attack.ts";
import { refusedFile } from "../../inside/files.ts";
import { codeOf, held, through, tryEach } from "../../inside/findings.ts";
import { targets } from "../../inside/processes.ts";

export const procDescriptors: Attack = {
  name: "proc-descriptors",
  group: "secrets",
  tries: "open what other processes have open, through /proc/PID/fd",
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
      return tryEach(names, (name) => openOne(`${folder}/${name}`));
    }),
};

/** Nothing is read: that would take what is somebody else's. */
function openOne(path: string) {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
    return through(`opened ${path}`);
  } catch (error) {
    // Sockets can't be opened by anybody.
    if (codeOf(error) === "ENXIO") return held("kernel", `${path}: a socket`);
    return refusedFile(path, codeOf(error), constants.R_OK);
  }
}
