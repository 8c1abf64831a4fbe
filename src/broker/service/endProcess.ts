import { writeSync } from "node:fs";
import { BrokerError } from "../BrokerError.ts";
import { messageOfFault } from "../messageOfFault.ts";

/** At once: open sockets must not keep a process alive that has nothing more to say. */
export function exit(code: number): never {
  // eslint-disable-next-line unicorn/no-process-exit -- only for files that are programs of their own
  process.exit(code);
}

/** Says why in the journal, without what was being worked on, and ends. */
export function exitBy(error: unknown): never {
  if (!(error instanceof BrokerError)) {
    writeSync(2, messageOfFault(error));
    exit(70);
  }
  const hint = error.hint === undefined ? "" : `  hint: ${error.hint}\n`;
  writeSync(2, `error: ${error.message}\n${hint}`);
  exit(error.exitCode);
}
