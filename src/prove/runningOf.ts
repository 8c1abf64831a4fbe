import { constants } from "node:os";
import type { CopyProcess } from "../host/index.ts";
import { ProveError } from "./ProveError.ts";
import type { Running } from "./runAttacks.ts";

const KEPT_ERRORS = 4_096;

/** A walled process as a runner of attacks. */
export function runningOf(walled: CopyProcess): Running {
  let errors = "";
  walled.stderr?.on("data", (chunk: Buffer) => {
    if (errors.length < KEPT_ERRORS) errors += chunk.toString();
  });
  if (walled.stdout === null) throw new ProveError("did-not-start", "the wall has no output");
  return {
    stdout: walled.stdout,
    errors: () => errors,
    exited: walled.exited.then(({ code, signal, refusal }) => ({
      code: signal === null ? code : 128 + constants.signals[signal],
      ...(refusal === undefined ? {} : { refusal }),
    })),
    kill: () => void walled.kill("SIGKILL"),
  };
}
