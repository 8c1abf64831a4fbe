import { SeawallError, type ErrorDetails, type ExitCode } from "../faults/index.ts";

export type HostErrorCode =
  | "no-declaration"
  | "not-running"
  | "already-running"
  | "no-such-bot"
  | "no-command"
  | "script-without-interpreter"
  | "unreadable-file"
  | "disk"
  | "broker-refused"
  | "bot-did-not-start"
  | "supervisor-died"
  | "port-in-use"
  | "damaged-state";

const EXIT: Record<HostErrorCode, ExitCode> = {
  "no-declaration": 2,
  "not-running": 1,
  "already-running": 1,
  "no-such-bot": 2,
  "no-command": 3,
  "script-without-interpreter": 3,
  "unreadable-file": 3,
  disk: 5,
  "broker-refused": 5,
  "bot-did-not-start": 5,
  "supervisor-died": 5,
  "port-in-use": 5,
  "damaged-state": 5,
};

/** What can go wrong while a deployment is prepared, run or asked about. */
export class HostError extends SeawallError<HostErrorCode> {
  constructor(code: HostErrorCode, message: string, details?: ErrorDetails) {
    super(code, message, details);
  }

  override get exitCode(): ExitCode {
    return EXIT[this.code];
  }
}

/** Turns a failed write into an error that says what to do, if it was one for want of room. */
export function asDiskError(error: unknown, what: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "ENOSPC" && code !== "EDQUOT" && code !== "EROFS") return error;
  const why = code === "EROFS" ? "the file system is read-only" : "the disk is full";
  return new HostError("disk", `${what} could not be written: ${why}`, {
    hint: "make room and try again; what was there before is as it was",
    cause: error,
  });
}
