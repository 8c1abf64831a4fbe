import type { Attack } from "../../Attack.ts";
import { attempt } from "../../inside/attempt.ts";

const CLONE_NEWUSER = 0x1000_0000n;
const SIGCHLD = 17n;

export const clone3Namespace: Attack = {
  name: "clone3-namespace",
  group: "escape",
  tries: "start a process in new namespaces by clone3(2), whose flags no filter sees",
  run: ({ kernel }) => {
    // struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls.
    const args = BigInt64Array.of(CLONE_NEWUSER, 0n, 0n, 0n, SIGCHLD, 0n, 0n, 0n);
    return attempt(kernel, [["clone3", args, 64], ["getpid"]], {
      success: "a process in a user namespace of its own",
      otherwise: "user namespace",
    });
  },
};
