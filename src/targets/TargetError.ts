import { SeawallError, type ExitCode } from "../faults/index.ts";

/**
 * - `unprintable`: a text that the target's syntax can't carry
 * - `no-place`: a secret's store, or a way to be reached, that this target doesn't have
 * - `port-taken`: two things of the deployment want one port
 * - `too-old`: the system's own software lacks what the wall needs
 * - `disk`: the files can't be written
 */
export type TargetErrorCode = "unprintable" | "no-place" | "port-taken" | "too-old" | "disk";

const EXIT: Readonly<Record<TargetErrorCode, ExitCode>> = {
  unprintable: 3,
  "no-place": 3,
  "port-taken": 3,
  "too-old": 4,
  disk: 5,
};

/** Why a plan can't be printed for a target. */
export class TargetError extends SeawallError<TargetErrorCode> {
  override get exitCode(): ExitCode {
    return EXIT[this.code];
  }
}
