import { SeawallError, type ErrorDetails, type ExitCode } from "../faults/index.ts";

/**
 * - `no-reply`: nothing came back through Telegram in time
 * - `no-process`: a process that was to be searched, or whose namespace was asked for, is not there
 * - `bad-value`: a value is too short to be searched for without finding it everywhere
 */
export type DemoErrorCode = "no-reply" | "no-process" | "bad-value";

/** What goes wrong with the demonstration. Never holds a value that is being searched for. */
export class DemoError extends SeawallError<DemoErrorCode> {
  override readonly exitCode: ExitCode = 1;

  constructor(code: DemoErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
  }
}
