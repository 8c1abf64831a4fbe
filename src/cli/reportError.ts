import { SeawallError } from "../faults/index.ts";
import { block } from "./block.ts";

/**
 * Prints what was thrown and gives the exit code; see `ExitCode` for what they mean. What one line and
 * a hint say is said at once: whoever walls single commands doesn't wait for the rest to load.
 */
export async function reportError(thrown: unknown, args: readonly string[]): Promise<number> {
  const end = args.indexOf("--");
  const json = (end === -1 ? args : args.slice(0, end)).includes("--json");
  if (thrown instanceof SeawallError && thrown.code !== "declaration-invalid" && !json) {
    process.stderr.write(block(thrown.message, thrown.where, thrown.hint));
    return thrown.exitCode;
  }
  const { asDiskError } = await import("../host/index.ts");
  const { makeOutput } = await import("./Output.ts");
  const error = asDiskError(thrown, "a file");
  makeOutput(json).error(error);
  return error instanceof SeawallError ? error.exitCode : 70;
}
