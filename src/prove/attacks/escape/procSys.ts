import type { Attack } from "../../Attack.ts";
import { writePlaces } from "../../inside/files.ts";

const FILES = [
  "/proc/sys/kernel/core_pattern",
  "/proc/sys/kernel/modprobe",
  "/proc/sys/kernel/hostname",
  "/proc/sys/net/ipv4/ip_forward",
  "/proc/sysrq-trigger",
];

export const procSys: Attack = {
  name: "proc-sys",
  group: "escape",
  tries: "write the kernel's settings: what runs at a crash, what loads modules, sysrq",
  run: ({ tag }) =>
    writePlaces(
      FILES.map((path) => ({ path, planted: false })),
      tag,
    ),
};
