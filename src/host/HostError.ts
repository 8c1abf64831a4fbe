import { SeawallError, type ExitCode } from "../faults/index.ts";
import { reasonOf } from "../files/index.ts";

export type HostErrorCode =
  | "no-declaration"
  | "not-running"
  | "already-running"
  | "still-running"
  | "no-such-bot"
  | "no-such-ask"
  | "cannot-declare"
  | "no-command"
  | "script-without-interpreter"
  | "many-in-one"
  | "unreadable-file"
  | "disk"
  | "no-access"
  | "no-bot-users"
  | "broker-refused"
  | "bot-did-not-start"
  | "plugin-not-installed"
  | "browser"
  | "no-image"
  | "containers"
  | "supervisor-died"
  | "damaged-state"
  | "not-root"
  | "no-systemd"
  | "system-command"
  | "no-such-generation"
  | "not-ours"
  | "port-taken"
  | "not-healthy"
  | "needs-yes"
  | "cannot-serve"
  | "update"
  | "needs-namespaces"
  | "not-on-macos";

const EXIT: Record<HostErrorCode, ExitCode> = {
  "no-declaration": 2,
  "not-running": 1,
  "already-running": 1,
  "still-running": 5,
  "no-such-bot": 2,
  "no-such-ask": 1,
  "cannot-declare": 1,
  "no-command": 3,
  "script-without-interpreter": 3,
  "many-in-one": 3,
  "unreadable-file": 3,
  disk: 5,
  "no-access": 5,
  "no-bot-users": 4,
  "broker-refused": 5,
  "bot-did-not-start": 5,
  "plugin-not-installed": 5,
  browser: 5,
  "no-image": 5,
  containers: 4,
  "supervisor-died": 5,
  "damaged-state": 5,
  "not-root": 4,
  "no-systemd": 4,
  "system-command": 5,
  "no-such-generation": 1,
  "not-ours": 5,
  "port-taken": 5,
  "not-healthy": 5,
  "needs-yes": 1,
  "cannot-serve": 4,
  update: 5,
  "needs-namespaces": 4,
  "not-on-macos": 4,
};

/** What can go wrong while a deployment is prepared, run or asked about. */
export class HostError extends SeawallError<HostErrorCode> {
  override get exitCode(): ExitCode {
    return EXIT[this.code];
  }
}

const ROOM = ["disk", "make room and try again; what was there before is as it was"] as const;
const ACCESS = [
  "no-access",
  "look at its owner and permissions, or name another folder with SEAWALL_STATE",
] as const;

const REMEDIES: Readonly<Record<string, readonly [code: HostErrorCode, hint: string]>> = {
  ENOSPC: ROOM,
  EDQUOT: ROOM,
  EACCES: ACCESS,
  EPERM: ACCESS,
};

/** Turns what the file system refused into an error that says what to do; gives any other back. */
export function asDiskError(error: unknown, what: string): unknown {
  if (error instanceof SeawallError || !(error instanceof Error) || !("code" in error))
    return error;
  const reason = reasonOf(error);
  if (reason === undefined) return error;
  const [code, hint] = REMEDIES[String(error.code)] ?? ["disk", "look at what is there"];
  const where = "path" in error && typeof error.path === "string" ? { where: error.path } : {};
  return new HostError(code, `${what} can't be used: ${reason}`, { ...where, hint, cause: error });
}
