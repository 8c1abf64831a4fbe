import type { HostCapabilities } from "./HostCapabilities.ts";
import type { Architecture } from "./seccomp/syscalls.ts";
import { WallError } from "./WallError.ts";

/** The architecture to compile filters for. @throws WallError where a wall that has little else would have none. */
export function requireFilters({
  architecture,
  seccomp,
}: Pick<HostCapabilities, "architecture" | "seccomp">): Architecture {
  if (architecture === undefined)
    throw new WallError("architecture", "there is no system call table for this machine", {
      hint: "use x86-64 or arm64",
    });
  if (!seccomp)
    throw new WallError("seccomp", "this kernel has no seccomp filters", {
      hint: "boot a kernel with CONFIG_SECCOMP_FILTER",
    });
  return architecture;
}
