import { SeawallError } from "../faults/index.ts";
import { asDiskError } from "../host/index.ts";
import { makeOutput } from "./Output.ts";

/** Prints what was thrown and gives the exit code; see `ExitCode` for what they mean. */
export function reportError(thrown: unknown, args: readonly string[]): number {
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  const error = asDiskError(thrown, "a file");
  makeOutput(own.includes("--json")).error(error);
  return error instanceof SeawallError ? error.exitCode : 70;
}
