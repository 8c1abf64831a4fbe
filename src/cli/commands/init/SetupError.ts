import { SeawallError, type ErrorDetails, type ExitCode } from "../../../faults/index.ts";

const EXIT_CODES = { exists: 1, cancelled: 1, disk: 5 } as const satisfies Record<string, ExitCode>;

/** What keeps `seawall init` from writing: something is there, somebody stopped it, the disk refuses. */
export class SetupError extends SeawallError<keyof typeof EXIT_CODES> {
  override readonly exitCode: ExitCode;

  constructor(code: keyof typeof EXIT_CODES, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
    this.exitCode = EXIT_CODES[code];
  }
}
