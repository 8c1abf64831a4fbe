import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

export const chroot: Attack = {
  name: "chroot",
  group: "escape",
  tries: "leave its root by chroot(2) and a folder that stays open",
  run: ({ kernel, field }) => attempt(kernel, [["chroot", field.home]]),
};
