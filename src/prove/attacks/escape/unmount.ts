import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const MNT_EXPIRE = 4;

export const unmount: Attack = {
  name: "unmount",
  group: "escape",
  tries: "unmount what covers something else",
  // What the kernel says after the permission was given: marked for later, busy, or not mounted.
  run: ({ kernel, field }) =>
    attempt(kernel, [["umount2", field.home, MNT_EXPIRE]], {
      permitted: ["EAGAIN", "EBUSY", "EINVAL"],
    }),
};
