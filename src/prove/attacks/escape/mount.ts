import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

export const mount: Attack = {
  name: "mount",
  group: "escape",
  tries: "mount a file system of its own",
  run: ({ kernel, field }) =>
    attempt(kernel, [
      ["mount", "none", field.home, "tmpfs", 0, 0],
      ["umount2", field.home, 0],
    ]),
};
