import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

export const pivotRoot: Attack = {
  name: "pivot-root",
  group: "escape",
  tries: "change the root of its mounts",
  // Nothing has an empty name, which is found out only after the permission was given.
  run: ({ kernel }) => attempt(kernel, [["pivot_root", "", ""]], { permitted: ["ENOENT"] }),
};
