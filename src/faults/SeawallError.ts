/**
 * The shape every error of ours has, whatever room it comes from.
 *
 * A room declares one subclass with a literal union of codes. Codes are stable: scripts match on
 * them, so a code is never renamed. The message is one lower-case line without a final full stop;
 * it names what is wrong and never contains what was in a field that may hold a secret.
 */
export abstract class SeawallError<Code extends string = string> extends Error {
  readonly code: Code;
  /** What to do about it: one line, an imperative sentence or a command to type. */
  readonly hint: string | undefined;
  /** Where it is, when there is a place to point at: `file:line:column (path.in.file)`. */
  readonly where: string | undefined;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = details.hint;
    this.where = details.where;
  }

  /** How a process that dies of this error exits; the numbers are in docs/commands.md. */
  abstract readonly exitCode: ExitCode;
}

/** Optional parts of an error. */
export interface ErrorDetails {
  readonly hint?: string;
  readonly where?: string;
  readonly cause?: unknown;
}

/**
 * 1 the thing asked about is not so; 2 usage; 3 declaration invalid; 4 the host can't enforce it;
 * 5 failure outside of Seawall (store, network, registry, disk); 70 a bug of ours.
 */
export type ExitCode = 1 | 2 | 3 | 4 | 5 | 70;
