import type { Attack } from "../../Attack.ts";
import { attempt, inUserNamespace } from "../../inside/attempt.ts";

export const becomeRoot: Attack = {
  name: "become-root",
  group: "escape",
  tries: "change to user 0",
  run: ({ kernel }) =>
    attempt(kernel, [["setresuid", 0, 0, 0]], {
      otherwise: inUserNamespace() ? "user namespace" : "capabilities",
    }),
};
