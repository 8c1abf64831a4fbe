import { SeawallError, type ErrorDetails, type ExitCode } from "../faults/index.ts";

/**
 * - `missing`: there is no such secret, vault, file or identity
 * - `exists`: what was to be made is already there
 * - `locked`: a passphrase is needed, or one was given for what has none
 * - `wrong-passphrase`: the passphrase doesn't open it
 * - `wrong-recipient`: it was encrypted for another identity
 * - `damaged`: the bytes are not what was written: truncated, altered, or something else altogether
 * - `wrong-mac`: each value of a SOPS file opens, but the file as a whole was altered
 * - `unsupported`: a form that is right but that Seawall can't read
 * - `unreadable`: the system refuses to let us read
 * - `unsafe-mode`: others could read or replace the file
 * - `unsafe-link`: a symbolic link where there may be none, or one that somebody else could turn round
 * - `bot-readable`: a bot could read the file
 * - `busy`: another process held the lock for the whole wait
 * - `invalid-name`, `invalid-value`: what was to be stored can't be stored
 * - `empty-value`, `oversized-value`: nothing, or more than a credential has
 * - `command-missing`, `command-failed`, `command-hung`: what was to print a secret
 * - `keyring-absent`: no secret service answers; `keyring-locked`: it doesn't open
 * - `unprotected`: memory that is to hold secrets can't be kept from others
 * - `helper`: the process that reads a store came to nothing
 * - `disk`: writing failed; what was there before is still there
 */
export type SecretErrorCode = keyof typeof EXIT_CODES;

const EXIT_CODES = {
  missing: 1,
  exists: 1,
  locked: 5,
  "wrong-passphrase": 5,
  "wrong-recipient": 5,
  damaged: 5,
  "wrong-mac": 5,
  unsupported: 5,
  unreadable: 5,
  "unsafe-mode": 5,
  "unsafe-link": 5,
  "bot-readable": 5,
  busy: 5,
  "invalid-name": 2,
  "invalid-value": 2,
  "empty-value": 2,
  "oversized-value": 2,
  "command-missing": 5,
  "command-failed": 5,
  "command-hung": 5,
  "keyring-absent": 5,
  "keyring-locked": 5,
  unprotected: 4,
  helper: 5,
  disk: 5,
} as const satisfies Readonly<Record<string, ExitCode>>;

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
