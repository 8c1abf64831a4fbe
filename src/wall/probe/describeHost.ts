import type { HostCapabilities } from "../HostCapabilities.ts";
import { describeLandlock } from "../landlock/describe.ts";
import type { MechanismReport } from "../MechanismReport.ts";
import { BUBBLEWRAP_FLOOR } from "../namespaces/arguments.ts";
import { bubblewrapRemedy } from "./remedies.ts";

type Found = Omit<HostCapabilities, "mechanisms">;

/** What `doctor` prints: one line per mechanism, with the line to type where something is lacking. */
export function describeHost(found: Found): readonly MechanismReport[] {
  return [
    describeNamespaces(found),
    describeBubblewrap(found),
    describeHostLandlock(found),
    found.seccomp
      ? { mechanism: "seccomp", state: "enforced", detail: "system call filters work" }
      : {
          mechanism: "seccomp",
          state: "missing",
          detail: "this kernel has no system call filters",
          remedy: "boot a kernel with CONFIG_SECCOMP_FILTER",
        },
    found.ipv6
      ? { mechanism: "ipv6", state: "enforced", detail: "IPv6 is walled like IPv4" }
      : {
          mechanism: "ipv6",
          state: "missing",
          detail: "this kernel has no IPv6, so nothing goes out by it either",
        },
    describeCgroups(found),
  ];
}

function describeNamespaces({ namespaces }: Found): MechanismReport {
  const mechanism = "namespaces";
  if (namespaces.ok)
    return { mechanism, state: "enforced", detail: "user namespaces work for this user" };
  const { reason, remedy } = namespaces;
  return {
    mechanism,
    state: "missing",
    detail: reason,
    ...(remedy === undefined ? {} : { remedy }),
  };
}

function describeBubblewrap({ bubblewrap }: Found): MechanismReport {
  const mechanism = "bubblewrap";
  const remedy = bubblewrapRemedy();
  if (bubblewrap === undefined)
    return { mechanism, state: "missing", detail: "bubblewrap is not installed", remedy };
  const { path, version, recent } = bubblewrap;
  if (recent) return { mechanism, state: "enforced", detail: `bubblewrap ${version} at ${path}` };
  const floor = BUBBLEWRAP_FLOOR.join(".");
  const detail = `bubblewrap at ${path} is ${version}, ${floor} is the oldest that works`;
  return { mechanism, state: "missing", detail, remedy };
}

function describeHostLandlock({ landlock, kernel }: Found): MechanismReport {
  const report = describeLandlock("own", landlock);
  return landlock < 1 ? { ...report, detail: `Linux ${kernel} runs without Landlock` } : report;
}

function describeCgroups({ cgroups }: Found): MechanismReport {
  const mechanism = "cgroups";
  if (cgroups === "none")
    return { mechanism, state: "missing", detail: "no cgroup file system is mounted" };
  return { mechanism, state: "partly", detail: `cgroup ${cgroups} is there; no limit is set yet` };
}
