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
    describeExecution(found),
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

function describeExecution({ noexec, namespaces }: Found): MechanismReport {
  const mechanism = "execution";
  if (!noexec && !namespaces.ok) {
    const detail = "mounts can't be made noexec without user namespaces";
    return { mechanism, state: "missing", detail };
  }
  return noexec
    ? { mechanism, state: "enforced", detail: "what isn't granted can't be mapped as code" }
    : {
        mechanism,
        state: "missing",
        detail: "mounts can't be made noexec from inside",
        remedy: "boot a kernel of Linux 5.12 or later",
      };
}

function describeCgroups({ cgroups }: Found): MechanismReport {
  const mechanism = "limits";
  switch (cgroups.kind) {
    case "systemd":
      return {
        mechanism,
        state: "enforced",
        detail: `memory, processes and processor time by systemd${cgroups.user ? " for this user" : ""}`,
      };
    case "v2":
      return byController(cgroups.controllers, "v2");
    case "v1":
      return byController(Object.keys(cgroups.folders), "v1");
    case "none":
      return {
        mechanism,
        state: "partly",
        detail: `${cgroups.reason}: memory is limited for each process only, processor time not at all`,
        ...(cgroups.remedy === undefined ? {} : { remedy: cgroups.remedy }),
      };
    default:
      return cgroups satisfies never;
  }
}

function byController(found: readonly string[], version: string): MechanismReport {
  const lacking = ["memory", "pids", "cpu"].filter((name) => !found.includes(name));
  const detail = `cgroup ${version}: ${found.join(", ")}`;
  return lacking.length === 0
    ? { mechanism: "limits", state: "enforced", detail }
    : { mechanism: "limits", state: "partly", detail: `${detail}; not ${lacking.join(", ")}` };
}
