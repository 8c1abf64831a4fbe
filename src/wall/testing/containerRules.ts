import type { SyscallRule } from "../seccomp/SyscallPolicy.ts";
import type { Syscall } from "../seccomp/syscalls.ts";

const EPERM = { errno: 1 };
const NEW_USER = 0x10000000;

/**
 * What the default profiles of Docker and Podman refuse without CAP_SYS_ADMIN, of the calls that matter here
 * (moby profiles/seccomp/default.json; containers/common pkg/seccomp/seccomp.json).
 */
export const CONTAINER_RULES: readonly (readonly [Syscall, SyscallRule])[] = [
  ...(
    "unshare setns mount umount2 pivot_root open_tree move_mount mount_setattr fsopen fsmount fsconfig".split(
      " ",
    ) as Syscall[]
  ).map((name) => [name, EPERM] as const),
  ["clone3", { errno: 38 }],
  [
    "clone",
    {
      clauses: [{ when: [{ argument: 0, mask: NEW_USER, anyOf: [NEW_USER] }], verdict: EPERM }],
      otherwise: "allow",
    },
  ],
];
