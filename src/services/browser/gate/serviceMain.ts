import { exit, exitBy } from "../../../broker/index.ts";
import { GateService } from "./GateService.ts";

/** The gate's process under systemd: socket-activated, `Type=notify`. See docs/systemd.md. */
function main(): void {
  const service = new GateService(process.env, process.pid, () => exit(0));
  process.on("uncaughtException", (error) => {
    exitBy(error);
  });
  process.once("SIGTERM", () => void service.stop());
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  service.start();
}

try {
  main();
} catch (error) {
  exitBy(error);
}
