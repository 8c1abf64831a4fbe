import { SeawallError, type ExitCode } from "../faults/index.ts";

/**
 * - `no-path`: what was to be looked through is not there, or is nothing that can be
 * - `failed`: the scanner itself could not go on
 */
export type ScanErrorCode = "no-path" | "failed";

/** What goes wrong with a scan. Never holds what was found. */
export class ScanError extends SeawallError<ScanErrorCode> {
  get exitCode(): ExitCode {
    return this.code === "no-path" ? 2 : 5;
  }
}
