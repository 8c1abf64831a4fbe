import { SeawallError, type ExitCode } from "../faults/index.ts";

/** The command line was called in a way it doesn't know. */
export class UsageError extends SeawallError<"usage"> {
  override readonly exitCode: ExitCode = 2;

  constructor(message: string, hint: string) {
    super("usage", message, { hint });
  }
}
