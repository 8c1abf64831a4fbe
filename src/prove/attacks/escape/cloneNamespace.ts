import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const CLONE_NEWUSER = 0x1000_0000;
const SIGCHLD = 17;

export const cloneNamespace: Attack = {
  name: "clone-namespace",
  group: "escape",
  tries: "start a process in new namespaces by clone(2)",
  run: ({ kernel }) =>
    attempt(
      kernel,
      [
        ["clone", CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0],
        // Both the parent and the child come here; only one of them has something to wait for.
        ["getpid"],
      ],
      { success: "a process in a user namespace of its own", otherwise: "user namespace" },
    ),
};
