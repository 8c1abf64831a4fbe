import type { MigrationFailure } from "./Job.ts";

/** Why the program inside can't go on. Never holds what stands in a file. */
export class Failure extends Error {
  readonly code: MigrationFailure;
  readonly place: string;

  constructor(code: MigrationFailure, place: string, cause?: unknown) {
    super(code, { cause });
    this.code = code;
    this.place = place;
  }
}
