import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const O_WRONLY = 1;

export const surviveOthers: Attack = {
  name: "survive-others",
  group: "exhaustion",
  tries: "have the kernel kill others first when memory runs out",
  run: ({ kernel }) =>
    attempt(kernel, [
      ["openat", -100, "/proc/self/oom_score_adj", O_WRONLY, 0],
      ["write", { result: 0 }, "-1000", 5],
    ]),
};
