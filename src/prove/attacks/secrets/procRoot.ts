import type { Attack } from "../../Attack.ts";
import { readFiles } from "../../inside/files.ts";
import { targets } from "../../inside/processes.ts";

export const procRoot: Attack = {
  name: "proc-root",
  group: "secrets",
  tries: "reach files through /proc/PID/root and /proc/PID/cwd of every process",
  run: ({ field }) => {
    const [key = ""] = field.secrets.owner;
    const pids = ["self", ...targets(field)];
    return readFiles(pids.flatMap((pid) => [`/proc/${pid}/root${key}`, `/proc/${pid}/cwd${key}`]));
  },
};
