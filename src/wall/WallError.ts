import { SeawallError } from "../faults/index.ts";
import type { ExitCode } from "../faults/index.ts";

export type WallErrorCode =
  /** This host can't enforce what the wall needs. */
  | "architecture"
  | "user-namespaces"
  | "bubblewrap-missing"
  | "bubblewrap-old"
  | "landlock"
  | "seccomp"
  | "seatbelt"
  /** The wall let through what it must not, or kept what it must let through: found by trying. */
  | "unproven"
  /** A path can't be protected as the specification says. */
  | "protect"
  /** The launcher isn't built, or can't be executed. */
  | "launcher"
  /** The launcher or bubblewrap refused, or ended before the command ran. */
  | "start"
  /** A specification that contradicts itself. */
  | "spec";

/** Why a wall could not be built. */
export class WallError extends SeawallError<WallErrorCode> {
  get exitCode(): ExitCode {
    if (this.code === "spec") return 70;
    return this.code === "start" ? 5 : 4;
  }
}
