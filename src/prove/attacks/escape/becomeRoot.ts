import { readFileSync } from "node:fs";
import type { Attack } from "../../Attack.ts";
import { attempt, inUserNamespace } from "../../inside/attempt.ts";
import { held } from "../../inside/findings.ts";

export const becomeRoot: Attack = {
  name: "become-root",
  group: "escape",
  tries: "change to user 0, with what that user may do",
  run: ({ kernel }) => {
    const status = readFileSync("/proc/self/status", "utf8");
    if (process.getuid?.() === 0 && /^CapBnd:\s*0+$/m.test(status))
      return held("capabilities", "it is user 0 already, and has no capability and can get none");
    return attempt(kernel, [["setresuid", 0, 0, 0]], {
      otherwise: inUserNamespace() ? "user namespace" : "capabilities",
    });
  },
};
