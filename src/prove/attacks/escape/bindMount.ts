import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const MS_BIND = 4096;

export const bindMount: Attack = {
  name: "bind-mount",
  group: "escape",
  tries: "bind another folder over its own",
  run: ({ kernel, field }) =>
    attempt(kernel, [
      ["mount", "/", field.home, 0, MS_BIND, 0],
      ["umount2", field.home, 2],
    ]),
};
