import { protectMemory } from "../../secrets/index.ts";
import { BrokerService } from "./BrokerService.ts";
import { exit, exitBy } from "./endProcess.ts";

/** Shorter than the unit's TimeoutStopSec. */
const GRACE_MS = 5_000;

/** The broker's process under systemd: socket-activated, `Type=notify`. See docs/systemd.md. */
async function main(): Promise<void> {
  protectMemory();
  const service = new BrokerService(process.env, process.pid);
  process.on("uncaughtException", (error) => {
    service.abandon();
    exitBy(error);
  });
  process.once("SIGTERM", () => {
    void service.stop(GRACE_MS).then(() => exit(0));
  });
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  await service.start();
}

try {
  await main();
} catch (error) {
  exitBy(error);
}
