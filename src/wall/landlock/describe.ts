import type { MechanismReport } from "../MechanismReport.ts";
import type { WallSpec } from "../WallSpec.ts";
import { FULL_ABI } from "./rights.ts";

const SUBJECTS = "files, execution, TCP ports, devices, abstract sockets and signals";
const REMEDY = "boot a kernel of Linux 6.12 or later";

/**
 * What Landlock does for one wall on a kernel with `abi`, and what holds in place of what it lacks.
 * Nothing here is a hole: below ABI 1 `compileWall` refuses unless the concession is named, and of
 * the later rights each is held by another layer or gives up nothing an invariant promises.
 */
export function describeLandlock(namespaces: WallSpec["namespaces"], abi: number): MechanismReport {
  const mechanism = "landlock";
  if (abi < 1)
    return {
      mechanism,
      state: "missing",
      detail: "conceded: files and execution are held by the other layers alone",
      remedy: "add landlock to the kernel's lsm= parameter, on Linux 5.13 or later",
    };
  if (abi >= FULL_ABI) return { mechanism, state: "enforced", detail: `ABI ${abi}: ${SUBJECTS}` };
  const own = namespaces === "own";
  const lacking: string[] = [];
  if (abi < 2) lacking.push("no renaming between folders (refused outright)");
  if (abi < 3) lacking.push(`truncation (${own ? "read-only mounts hold" : "seccomp holds"})`);
  if (abi < 4) lacking.push(own ? "TCP ports (its own network holds)" : "which TCP ports it binds");
  if (abi < 5)
    lacking.push(own ? "device ioctls (seccomp and a minimal /dev hold)" : "device ioctls");
  if (abi < 6)
    lacking.push(
      own
        ? "signals and abstract sockets (its own pid and network namespaces hold)"
        : "signals and abstract sockets (seccomp holds)",
    );
  return {
    mechanism,
    state: "partly",
    detail: `ABI ${abi} lacks ${lacking.join("; ")}`,
    remedy: REMEDY,
  };
}
