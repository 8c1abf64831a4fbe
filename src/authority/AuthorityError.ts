import { SeawallError, type ErrorDetails, type ExitCode } from "../faults/index.ts";

/**
 * - `damaged`: key and certificate are not a working pair made by us
 * - `expired`: the authority's ten years are over
 * - `unreadable`: the system refuses to let us read
 * - `unsafe-mode`: others could read the key or exchange the files
 * - `disk`: writing failed
 * - `invalid-name`: neither a DNS name nor an IP address
 */
export type AuthorityErrorCode =
  "damaged" | "expired" | "unreadable" | "unsafe-mode" | "disk" | "invalid-name";

/** What goes wrong with the deployment's CA. Never holds any of the key. */
export class AuthorityError extends SeawallError<AuthorityErrorCode> {
  override readonly exitCode: ExitCode = 5;

  constructor(code: AuthorityErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
  }
}
