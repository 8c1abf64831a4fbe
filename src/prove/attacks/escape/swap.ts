import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

export const swap: Attack = {
  name: "swap",
  group: "escape",
  tries: "switch off the machine's swap",
  run: ({ kernel }) => attempt(kernel, [["swapoff", "/nonexistent"]], { permitted: ["ENOENT"] }),
};
