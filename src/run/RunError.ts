import { SeawallError, type ExitCode } from "../faults/index.ts";

export type RunErrorCode =
  | "no-command"
  | "not-executable"
  | "writable-program"
  | "no-path"
  | "wrong-kind"
  | "reserved-path"
  | "clash"
  | "no-credential"
  | "did-not-start"
  | "policies";

const EXIT: Record<RunErrorCode, ExitCode> = {
  "no-command": 2,
  "not-executable": 2,
  "writable-program": 2,
  "no-path": 2,
  "wrong-kind": 2,
  "reserved-path": 2,
  clash: 2,
  "no-credential": 2,
  "did-not-start": 4,
  policies: 5,
};

/** Why a command could not be run behind the wall. */
export class RunError extends SeawallError<RunErrorCode> {
  override get exitCode(): ExitCode {
    return EXIT[this.code];
  }
}
