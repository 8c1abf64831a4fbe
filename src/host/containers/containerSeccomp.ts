/** As containers.conf(5) has it, and Podman's own in /usr/share/containers/seccomp.json. */
interface Profile {
  readonly syscalls: readonly Rule[];
  readonly [key: string]: unknown;
}

interface Rule {
  readonly names: readonly string[];
  readonly action: string;
  readonly args?: readonly object[] | null;
  readonly [key: string]: unknown;
}

/**
 * What Podman's profile leaves open for containers within containers, and what hands out the kernel's own
 * rights: new namespaces, mounts, keys, other processes' memory.
 */
const CLOSED = new Set(
  `unshare setns mount umount umount2 pivot_root move_mount open_tree fsopen fsmount fsconfig fspick mount_setattr
   keyctl add_key request_key process_vm_readv process_vm_writev process_madvise kcmp ptrace pidfd_getfd io_uring_setup
   io_uring_enter io_uring_register bpf perf_event_open userfaultfd name_to_handle_at open_by_handle_at chroot
   clone clone3`.split(/\s+/u),
);
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET (clone(2)); NEWTIME is for unshare(2) only. */
const NEW_NAMESPACES = 0x7e02_0000;

/**
 * Podman's seccomp profile without what a container of ours doesn't need. A user namespace of its own would give
 * a command rights over a part of the kernel that nothing else lets it come near.
 *
 * @throws Error where this isn't a profile that forbids what it doesn't name
 */
export function containerSeccomp(text: string): string {
  const profile: unknown = JSON.parse(text);
  if (!isProfile(profile) || profile["defaultAction"] !== "SCMP_ACT_ERRNO")
    throw new Error("Podman's seccomp profile has a form that isn't known");
  const syscalls = profile.syscalls.flatMap((rule) => {
    const names = rule.names.filter((name) => !CLOSED.has(name));
    return names.length === 0 ? [] : [{ ...rule, names }];
  });
  const clone = {
    names: ["clone"],
    action: "SCMP_ACT_ALLOW",
    args: [{ index: 0, value: NEW_NAMESPACES, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
    comment: "",
    includes: {},
    excludes: {},
  };
  return `${JSON.stringify({ ...profile, syscalls: [...syscalls, clone] })}\n`;
}

function isProfile(value: unknown): value is Profile {
  if (typeof value !== "object" || value === null || !("syscalls" in value)) return false;
  const { syscalls } = value;
  return (
    Array.isArray(syscalls) &&
    syscalls.every(
      (rule: unknown) =>
        typeof rule === "object" && rule !== null && "names" in rule && Array.isArray(rule.names),
    )
  );
}
