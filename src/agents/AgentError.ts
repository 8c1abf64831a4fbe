import { SeawallError, type ExitCode } from "../faults/index.ts";

export type AgentErrorCode =
  | "bad-name"
  | "not-declared"
  | "no-home"
  | "exists"
  | "no-tool-walls"
  | "no-containers"
  | "no-such-agent"
  | "busy"
  | "unfinished"
  | "undo-failed"
  | "unreachable"
  | "refused"
  | "workspace"
  | "disk"
  | "not-taken-up"
  | "not-synced"
  | "needs-yes"
  | "damaged-state";

const EXIT: Record<AgentErrorCode, ExitCode> = {
  "bad-name": 2,
  "not-declared": 3,
  "no-home": 1,
  exists: 1,
  "no-tool-walls": 4,
  "no-containers": 4,
  "no-such-agent": 1,
  busy: 5,
  unfinished: 1,
  "undo-failed": 5,
  unreachable: 5,
  refused: 5,
  workspace: 5,
  disk: 5,
  "not-taken-up": 5,
  "not-synced": 5,
  "needs-yes": 1,
  "damaged-state": 5,
};

/** What can go wrong with a bot's agents. */
export class AgentError extends SeawallError<AgentErrorCode> {
  override get exitCode(): ExitCode {
    return EXIT[this.code];
  }
}
