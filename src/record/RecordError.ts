import { SeawallError, type ExitCode } from "../faults/index.ts";

export type RecordErrorCode =
  /** A key to sign or check with is none, or of another kind. */
  | "key-unusable"
  /** There is no record in the folder. */
  | "no-record"
  /** A file of the record can't be read or decompressed. */
  | "record-unreadable";

const EXIT: Record<RecordErrorCode, ExitCode> = {
  "key-unusable": 2,
  "no-record": 1,
  "record-unreadable": 5,
};

/** Why the record can't be read. What is wrong within it is a finding of `verify`, not an error. */
export class RecordError extends SeawallError<RecordErrorCode> {
  override get exitCode(): ExitCode {
    return EXIT[this.code];
  }
}
