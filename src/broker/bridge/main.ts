import { writeSync } from "node:fs";
import { BrokerError } from "../BrokerError.ts";
import { messageOfFault } from "../messageOfFault.ts";
import { BridgeService } from "./BridgeService.ts";

/** The bridge's process under systemd: socket-activated, `Type=notify`. See docs/systemd.md. */
function main(): void {
  const service = new BridgeService(process.env, process.pid);
  process.on("uncaughtException", (error) => {
    writeSync(2, messageOfFault(error));
    exit(70);
  });
  process.once("SIGTERM", () => {
    service.stop();
    exit(0);
  });
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  service.start();
}

/** At once: open sockets must not keep a process alive that has nothing more to say. */
function exit(code: number): never {
  // eslint-disable-next-line unicorn/no-process-exit -- this file is a program of its own, like cli/main
  process.exit(code);
}

try {
  main();
} catch (error) {
  if (!(error instanceof BrokerError)) {
    writeSync(2, messageOfFault(error));
    exit(70);
  }
  const hint = error.hint === undefined ? "" : `  hint: ${error.hint}\n`;
  writeSync(2, `error: ${error.message}\n${hint}`);
  exit(error.exitCode);
}
