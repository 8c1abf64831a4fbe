import { SeawallError, type ExitCode } from "../faults/index.ts";

/**
 * - `no-installation`: there is no OpenClaw configuration where one was to be
 * - `several`: there is more than one installation, and none was named
 * - `unreadable`: configuration or database can't be read as what they should be
 * - `in-use`: a program has the installation open
 * - `exists`: what would be written is already there
 * - `no-model`: nothing was found that the bot could think with
 * - `nothing`: there is nothing to take, or to take back
 * - `changed`: the installation changed meanwhile
 * - `disk`: writing failed; what was there before is there, or is put back by `--undo`
 * - `failed`: the program that reads installations could not go on
 */
export type MigrationErrorCode =
  | "no-installation"
  | "several"
  | "unreadable"
  | "in-use"
  | "exists"
  | "no-model"
  | "nothing"
  | "changed"
  | "disk"
  | "failed";

const EXIT_CODES: Readonly<Record<MigrationErrorCode, ExitCode>> = {
  "no-installation": 1,
  several: 2,
  unreadable: 5,
  "in-use": 1,
  exists: 1,
  "no-model": 1,
  nothing: 1,
  changed: 5,
  disk: 5,
  failed: 5,
};

/** What goes wrong with a migration. Never holds what stands in a file. */
export class MigrationError extends SeawallError<MigrationErrorCode> {
  get exitCode(): ExitCode {
    return EXIT_CODES[this.code];
  }
}
