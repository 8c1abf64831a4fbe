import { BridgeService } from "./BridgeService.ts";
import { exit, exitBy } from "../service/endProcess.ts";

/** The bridge's process under systemd: socket-activated, `Type=notify`. See docs/systemd.md. */
function main(): void {
  const service = new BridgeService(process.env, process.pid);
  process.on("uncaughtException", (error) => {
    exitBy(error);
  });
  process.once("SIGTERM", () => {
    service.stop();
    exit(0);
  });
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  service.start();
}

try {
  main();
} catch (error) {
  exitBy(error);
}
