import type { Attack } from "../../Attack.ts";
import { judge } from "../../inside/attempt.ts";
import { held, tryEach } from "../../inside/findings.ts";
import { readFiles } from "../../inside/files.ts";

const SHM_RDONLY = 0o10_000;

export const sharedMemory: Attack = {
  name: "shared-memory",
  group: "secrets",
  tries: "attach other programs' shared memory, of System V and in /dev/shm",
  run: ({ kernel, field }) =>
    tryEach(["system v", "file"], (kind) => {
      if (kind === "file")
        return readFiles(field.sharedFile === undefined ? [] : [field.sharedFile]);
      if (field.sharedMemory === undefined) return held("kernel", "this kernel has none");
      const result = kernel.call("shmat", field.sharedMemory, 0, SHM_RDONLY);
      return judge(kernel, "shmat", result, { otherwise: "ipc namespace" });
    }),
};
