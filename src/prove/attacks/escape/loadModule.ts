import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

export const loadModule: Attack = {
  name: "load-module",
  group: "escape",
  tries: "load code into the kernel",
  // What isn't a module is found out only after the permission was given.
  run: ({ kernel }) =>
    attempt(kernel, [["init_module", Buffer.alloc(64), 64, ""]], {
      permitted: ["ENOEXEC", "EINVAL", "EKEYREJECTED", "EBADMSG"],
    }),
};
