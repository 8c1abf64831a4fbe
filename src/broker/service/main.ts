import { writeSync } from "node:fs";
import { protectMemory } from "../../secrets/index.ts";
import { BrokerError } from "../BrokerError.ts";
import { messageOfFault } from "../messageOfFault.ts";
import { BrokerService } from "./BrokerService.ts";

/** Shorter than the unit's TimeoutStopSec. */
const GRACE_MS = 5_000;

/** The broker's process under systemd: socket-activated, `Type=notify`. See docs/systemd.md. */
async function main(): Promise<void> {
  protectMemory();
  const service = new BrokerService(process.env, process.pid);
  process.on("uncaughtException", (error) => {
    service.abandon();
    writeSync(2, messageOfFault(error));
    exit(70);
  });
  process.once("SIGTERM", () => {
    void service.stop(GRACE_MS).then(() => exit(0));
  });
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  await service.start();
}

/** At once: open sockets must not keep a process alive that has nothing more to say. */
function exit(code: number): never {
  // eslint-disable-next-line unicorn/no-process-exit -- this file is a program of its own, like cli/main
  process.exit(code);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof BrokerError)) {
    writeSync(2, messageOfFault(error));
    exit(70);
  }
  const hint = error.hint === undefined ? "" : `  hint: ${error.hint}\n`;
  writeSync(2, `error: ${error.message}\n${hint}`);
  exit(error.exitCode);
}
