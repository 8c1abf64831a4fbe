import { SeawallError, type ExitCode } from "../faults/index.ts";

export type BrokerErrorCode =
  /** The configuration contradicts itself or names something the broker can't do. */
  | "config-invalid"
  /** A leaf certificate or its key can't be used. */
  | "certificate-invalid"
  /** A secret is there, but can't stand in a call or can't be searched for in a reply. */
  | "secret-unusable"
  /** A token endpoint could not be asked, or its answer not be used. */
  | "mint-failed"
  /** A token endpoint says no: the owner has to do something. */
  | "mint-refused"
  /** The ingress can't listen on the port it was given. */
  | "port-taken"
  /** The audit file or its journal can't be opened or written. */
  | "audit-unwritable";

const EXIT: Record<BrokerErrorCode, ExitCode> = {
  "config-invalid": 3,
  "certificate-invalid": 70,
  "secret-unusable": 5,
  "mint-failed": 5,
  "mint-refused": 5,
  "port-taken": 5,
  "audit-unwritable": 5,
};

/** Why the broker can't work as it was told to; what it refuses a bot is a `Refusal`. */
export class BrokerError extends SeawallError<BrokerErrorCode> {
  override get exitCode(): ExitCode {
    return EXIT[this.code];
  }
}
