import { readFileSync } from "node:fs";
import type { Finding, Layer } from "../Attack.ts";
import { held, through, untried } from "./findings.ts";
import type { Kernel, Result, Step } from "./Kernel.ts";

/**
 * Calls that fail otherwise than by EPERM or ENOSYS whoever makes them, once they have come past a
 * filter: with these arguments the kernel finds fault before it asks for a capability. A filter
 * that answers instead is thereby told from a lacking capability. Sources: the calls' own first
 * lines in the kernel (fs/namespace.c, kernel/fork.c, security/keys/keyctl.c and so on).
 */
const PROBES: Readonly<Record<string, readonly [step: Step, error: string]>> = {
  mount: [["mount", 0, 0, 0, 0, 0], "EFAULT"],
  umount2: [["umount2", 0, 0x4000_0000], "EINVAL"],
  open_tree: [["open_tree", -1, 0, 0x4000_0000], "EINVAL"],
  chroot: [["chroot", 0], "EFAULT"],
  unshare: [["unshare", 1], "EINVAL"],
  setns: [["setns", -1, 0], "EBADF"],
  ptrace: [["ptrace", 1, 0x7fff_ffff, 0, 0], "ESRCH"],
  process_vm_readv: [["process_vm_readv", 1, 0, 0, 0, 0, 1], "EINVAL"],
  pidfd_getfd: [["pidfd_getfd", -1, 0, 1], "EINVAL"],
  keyctl: [["keyctl", 9999, 0, 0, 0, 0], "EOPNOTSUPP"],
  add_key: [["add_key", 0, 0, 0, 0, 0], "EFAULT"],
  request_key: [["request_key", 0, 0, 0, 0], "EFAULT"],
  bpf: [["bpf", 0, 0, 0x10_0000], "E2BIG"],
  perf_event_open: [["perf_event_open", 0, 0, 0, 0, -1], "EINVAL"],
  io_uring_setup: [["io_uring_setup", 1, 0], "EFAULT"],
  // CLONE_NEWUSER with CLONE_FS.
  clone: [["clone", 0x1000_0200, 0, 0, 0, 0], "EINVAL"],
  clone3: [["clone3", 0, 0], "EINVAL"],
  clock_settime: [["clock_settime", 999, 0], "EINVAL"],
  name_to_handle_at: [["name_to_handle_at", -1, 0, 0, 0, 0x4000_0000], "EINVAL"],
  memfd_create: [["memfd_create", 0, 0x4000_0000], "EINVAL"],
  ioctl: [["ioctl", -1, 0x5412, 0], "EBADF"],
  execveat: [["execveat", -1, 0, 0, 0, 0x4000_0000], "EINVAL"],
};

export interface AttemptOptions {
  /** Errors that come only after the permission was given: they count as through. */
  readonly permitted?: readonly string[];
  /** What a success is called. */
  readonly success?: string;
  /** What must be true of the last step's result for a success; else it is held by `kernel`. */
  readonly proves?: (value: number) => boolean;
  /** What has refused when it isn't a filter: `capabilities` if not said. */
  readonly otherwise?: Layer;
  readonly seconds?: number;
}

/** Makes calls in a child of one thread, and says what stopped them. */
export function attempt(
  kernel: Kernel,
  steps: readonly Step[],
  options: AttemptOptions = {},
): Finding {
  const missing = steps.find(([name]) => !kernel.has(name));
  if (missing !== undefined) return held("kernel", `this machine has no ${missing[0]}()`);
  const { results, signal } = kernel.sequence(steps, options.seconds);
  const last = results.at(-1);
  const [name = ""] = steps[Math.max(0, results.length - 1)] ?? [];
  if (signal === SIGSYS)
    return held("seccomp", `${steps[results.length]?.[0]}() killed the process`);
  if (signal !== 0 && results.length < steps.length)
    return untried(`the child ended with signal ${signal}`);
  if (last === undefined) return untried("nothing was called");
  return judge(kernel, name, last, options);
}

/** Judges one call's result; see `attempt`. */
export function judge(
  kernel: Kernel,
  name: string,
  result: Result,
  { permitted = [], success, proves, otherwise }: AttemptOptions = {},
): Finding {
  if ("value" in result) {
    if (proves === undefined || proves(result.value))
      return through(success ?? `${name}() succeeded`);
    return held(otherwise ?? "kernel", `${name}() gave ${result.value}`);
  }
  if (permitted.includes(result.error))
    return through(`${name}() was permitted: ${result.error} came afterwards`);
  return held(layerOf(kernel, name, result.error, otherwise), `${name}(): ${result.error}`);
}

const SIGSYS = 31;

/** What gave this error to this call. */
export function layerOf(kernel: Kernel, name: string, error: string, otherwise?: Layer): Layer {
  if (error === "ESRCH") return "pid namespace";
  if (
    error !== "EPERM" &&
    error !== "ENOSYS" &&
    error !== "EAFNOSUPPORT" &&
    error !== "EPROTONOSUPPORT"
  )
    return otherwise ?? (error === "EACCES" && kernel.filtered ? "Landlock" : "kernel");
  if (!kernel.filtered) return error === "ENOSYS" ? "kernel" : (otherwise ?? "capabilities");
  if (error !== "EPERM") return "seccomp";
  const probe = PROBES[name];
  if (probe === undefined || !kernel.has(name)) return otherwise ?? "seccomp or capabilities";
  const reached = kernel.call(...probe[0]);
  if ("error" in reached && reached.error === probe[1]) return otherwise ?? "capabilities";
  return "seccomp";
}

/** Whether this process is in a user namespace that isn't the machine's first (user_namespaces(7)). */
export function inUserNamespace(): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"));
}
