import { existsSync, readFileSync } from "node:fs";

/** Package managers by the program that shows they are there, and what they call bubblewrap's install. */
const INSTALLERS = [
  ["/usr/bin/apt-get", "apt-get install -y bubblewrap"],
  ["/usr/bin/dnf", "dnf install -y bubblewrap"],
  ["/usr/bin/pacman", "pacman -S --noconfirm bubblewrap"],
  ["/usr/bin/zypper", "zypper install -y bubblewrap"],
  ["/sbin/apk", "apk add bubblewrap"],
  ["/run/current-system/sw/bin/nix-env", "nix-env -iA nixos.bubblewrap"],
] as const;

/** The line that installs bubblewrap here. */
export function bubblewrapRemedy(): string {
  const found = INSTALLERS.find(([program]) => existsSync(program));
  return found?.[1] ?? "install bubblewrap 0.7.0 or later";
}

/**
 * Sysctls that forbid user namespaces to ordinary users, each with the value that does:
 * user_namespaces(7); Debian's own patch; Ubuntu's AppArmor restriction (23.10 and later).
 */
const SWITCHES = [
  ["/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"],
  [
    "/proc/sys/kernel/unprivileged_userns_clone",
    "0",
    "sysctl -w kernel.unprivileged_userns_clone=1",
  ],
  [
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "1",
    "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
  ],
] as const;

/** What container engines leave in a container: Docker, Podman, LXC and systemd-nspawn. */
const CONTAINER_MARKS = [
  "/.dockerenv",
  "/run/.containerenv",
  "/dev/.lxc",
  "/run/host/container-manager",
];

/** What allows user namespaces here, if a switch or a container is seen to forbid them. */
export function namespaceRemedy(): string | undefined {
  const line = SWITCHES.find(([file, forbids]) => readSwitch(file) === forbids)?.[2];
  if (line !== undefined) return line;
  return CONTAINER_MARKS.some((mark) => existsSync(mark))
    ? "start the container so that it may make user namespaces, see docs/containers.md"
    : undefined;
}

function readSwitch(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}
