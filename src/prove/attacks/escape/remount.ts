import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const MS_REMOUNT_BIND = 32 | 4096;

export const remount: Attack = {
  name: "remount",
  group: "escape",
  tries: "make a read-only mount writable again",
  // Nothing is mounted there, which is found out only after the permission was given.
  run: ({ kernel }) =>
    attempt(kernel, [["mount", 0, "/proc/self", 0, MS_REMOUNT_BIND, 0]], {
      permitted: ["EINVAL"],
    }),
};
