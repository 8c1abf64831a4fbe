import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const FAN_CLASS_CONTENT = 4;

export const watchEverything: Attack = {
  name: "fanotify",
  group: "escape",
  tries: "watch and hold up all access to a file system (fanotify)",
  run: ({ kernel }) => attempt(kernel, [["fanotify_init", FAN_CLASS_CONTENT, 0]]),
};
