import type { WallSpec } from "../WallSpec.ts";

/** Where seawall-launch is visible inside. */
export const LAUNCHER_INSIDE = "/run/seawall/launch";

/** `--size` came with 0.7.0; of what else is used, `--clearenv` and `--perms` with 0.5.0. */
export const BUBBLEWRAP_FLOOR = [0, 7, 0] as const;

/**
 * What bubblewrap unshares and keeps, the same for every wall. The namespaces are named one by one
 * because `--unshare-all` skips what it can't have. With uid and gid 0 bubblewrap makes one user
 * namespace and not two, in which the launcher may still set up loopback; CAP_NET_ADMIN is for its
 * routes, CAP_NET_BIND_SERVICE for ports below 1024 there, and CAP_SETFCAP because nesting a user
 * namespace under uid 0 takes it (user_namespaces(7), Linux 5.12). CAP_SYS_ADMIN, over these mounts
 * only, is for making them noexec.
 */
export const NAMESPACE_ARGUMENTS: readonly string[] = [
  "--unshare-user --unshare-ipc --unshare-pid --unshare-net --unshare-uts --unshare-cgroup",
  "--uid 0 --gid 0 --cap-drop ALL --cap-add CAP_NET_ADMIN --cap-add CAP_NET_BIND_SERVICE",
  "--cap-add CAP_SETFCAP --cap-add CAP_SYS_ADMIN",
  "--die-with-parent --new-session --clearenv",
].flatMap((line) => line.split(" "));

/** With a session of its own a process has no terminal, and its shell no jobs. */
const WITH_TERMINAL = NAMESPACE_ARGUMENTS.filter((argument) => argument !== "--new-session");

/** /dev/shm is memory; more than this is for a `memory` mount to grant. */
const SHARED_MEMORY = 64 << 20;

/** It holds names only. */
const SEALED_MEMORY = 1 << 20;

/** Bubblewrap's arguments and the files it reads from descriptors, numbered from `firstDescriptor`. */
export interface BubblewrapInput {
  readonly arguments: readonly string[];
  readonly files: readonly string[];
}

/**
 * The mounts, in order, on an empty root that is read-only at the end. Binds are nosuid and nodev
 * (bwrap(1)); a `file` is copied into memory and bound over its place, never written into a folder
 * of the host's.
 */
export function compileBubblewrap(spec: WallSpec, firstDescriptor: number): BubblewrapInput {
  const namespaces = spec.terminal === true ? WITH_TERMINAL : NAMESPACE_ARGUMENTS;
  const out = [...namespaces, "--hostname", spec.hostname];
  const files: string[] = [];
  for (const mount of spec.mounts)
    switch (mount.kind) {
      case "read":
        out.push("--ro-bind", mount.from, mount.to);
        break;
      case "write":
        out.push("--bind", mount.from, mount.to);
        break;
      case "file":
        out.push("--perms", "0444", "--ro-bind-data", String(firstDescriptor + files.length));
        out.push(mount.to);
        files.push(mount.text);
        break;
      case "link":
        out.push("--symlink", mount.target, mount.to);
        break;
      case "sealed": {
        const mode = (mount.mode | 0o500).toString(8).padStart(4, "0");
        out.push("--perms", mode, "--size", String(SEALED_MEMORY), "--tmpfs", mount.to);
        break;
      }
      case "memory":
        out.push("--perms", "1777", "--size", String(mount.size), "--tmpfs", mount.to);
        break;
      case "proc":
        out.push("--proc", mount.to);
        break;
      case "devices":
        out.push("--dev", mount.to);
        out.push("--perms", "1777", "--size", String(SHARED_MEMORY), "--tmpfs", `${mount.to}/shm`);
        out.push("--remount-ro", mount.to);
        break;
    }
  for (const mount of spec.mounts) if (mount.kind === "sealed") out.push("--remount-ro", mount.to);
  return { arguments: out, files };
}

/** What comes after the mounts: the launcher at its place, and the root sealed. */
export function closingArguments(launcher: string): readonly string[] {
  return ["--ro-bind", launcher, LAUNCHER_INSIDE, "--remount-ro", "/", "--chdir", "/"];
}
