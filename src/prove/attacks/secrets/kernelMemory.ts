import type { Attack } from "../../Attack.ts";
import { readFiles } from "../../inside/files.ts";
import { inapplicable } from "../../inside/findings.ts";

export const kernelMemory: Attack = {
  name: "kernel-memory",
  group: "secrets",
  tries: "read the machine's memory: /proc/kcore, /dev/mem",
  run: ({ field }) =>
    field.memoryFiles.length === 0
      ? inapplicable("this machine doesn't show its memory to anybody")
      : readFiles(field.memoryFiles),
};
