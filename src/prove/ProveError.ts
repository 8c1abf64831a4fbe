import { SeawallError, type ExitCode } from "../faults/index.ts";

/**
 * - `no-such-bot`: the declaration has no such bot, or several and none was named
 * - `no-such-attack`: neither an attack nor a group has this name
 * - `bad-command`: the command's text can't be split, or has no `{}`
 * - `did-not-start`: what was to run the attacks never ran one
 * - `not-built`: the addon with raw system calls isn't there
 * - `needs-namespaces`: the bot has none of its own here, so no copy of it can be attacked
 */
export type ProveErrorCode =
  | "no-such-bot"
  | "no-such-attack"
  | "bad-command"
  | "did-not-start"
  | "not-built"
  | "needs-namespaces";

const EXIT: Record<ProveErrorCode, ExitCode> = {
  "no-such-bot": 2,
  "no-such-attack": 2,
  "bad-command": 2,
  "did-not-start": 5,
  "not-built": 4,
  "needs-namespaces": 4,
};

/** What keeps attacks from being run at all. */
export class ProveError extends SeawallError<ProveErrorCode> {
  override get exitCode(): ExitCode {
    return EXIT[this.code];
  }
}
