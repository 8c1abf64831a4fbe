import type { Attack } from "../../Attack.ts";
import { readFiles } from "../../inside/files.ts";

export const kernelMemory: Attack = {
  name: "kernel-memory",
  group: "secrets",
  tries: "read the machine's memory: /proc/kcore, /dev/mem",
  run: () => readFiles(["/proc/kcore", "/dev/mem"]),
};
