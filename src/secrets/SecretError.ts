import { SeawallError, type ErrorDetails, type ExitCode } from "../faults/index.ts";

/**
 * - `missing`: there is no such secret, vault or identity
 * - `exists`: what was to be made is already there
 * - `locked`: a passphrase is needed or wrong, or the identity is not the one the vault was made for
 * - `damaged`: the bytes are not what Seawall or age wrote
 * - `unreadable`: the system refuses to let us read
 * - `unsafe-mode`: others could read or replace the file
 * - `busy`: another process held the lock for the whole wait
 * - `invalid-name`, `invalid-value`: what was to be stored can't be stored
 * - `disk`: writing failed; what was there before is still there
 */
export type SecretErrorCode =
  | "missing"
  | "exists"
  | "locked"
  | "damaged"
  | "unreadable"
  | "unsafe-mode"
  | "busy"
  | "invalid-name"
  | "invalid-value"
  | "disk";

const EXIT_CODES: Readonly<Record<SecretErrorCode, ExitCode>> = {
  missing: 1,
  exists: 1,
  locked: 5,
  damaged: 5,
  unreadable: 5,
  "unsafe-mode": 5,
  busy: 5,
  "invalid-name": 2,
  "invalid-value": 2,
  disk: 5,
};

/**
 * What goes wrong with a store. Neither message, hint nor cause holds a value, an identity, a
 * passphrase or a piece of a damaged file. So `cause` is only ever an error of the file system,
 * which knows paths: errors of JSON and age parsers quote what they could not read.
 */
export class SecretError extends SeawallError<SecretErrorCode> {
  override readonly exitCode: ExitCode;

  constructor(code: SecretErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
    this.exitCode = EXIT_CODES[code];
  }
}
