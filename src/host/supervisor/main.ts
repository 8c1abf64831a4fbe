import { mkdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { takeLock, writeFileAtomic } from "../../files/index.ts";
import { serveControl } from "../control/index.ts";
import { HostError } from "../HostError.ts";
import { statePaths } from "../statePaths.ts";
import { Supervisor } from "./Supervisor.ts";

/**
 * The supervisor's process, started by `startSupervisor`. It writes one line to descriptor 3 once
 * commands can reach it: `ready`, or `running` when another one is already there.
 */
const READY_FD = 3;

const paths = statePaths(process.env, process.getuid?.() ?? -1);
mkdirSync(paths.run, { recursive: true, mode: 0o700 });
mkdirSync(paths.logs, { recursive: true, mode: 0o700 });
const lock = await takeLock(join(paths.run, "supervisor.lock"), 0);
if (lock === undefined) {
  writeSync(READY_FD, "running\n");
} else {
  await run(lock.release);
}

async function run(release: () => void): Promise<void> {
  const supervisor = new Supervisor(paths);
  const addressFile = join(paths.run, "supervisor.json");
  const { address, server } = await serveControl(async (request, reply) => {
    const progress = (text: string): void => reply({ kind: "progress", text });
    switch (request.verb) {
      case "status":
        reply({ kind: "status", status: supervisor.status() });
        return;
      case "apply":
        try {
          await supervisor.apply(request.generation, request.passphrase, progress);
        } catch (error) {
          if (supervisor.status().generation === 0) setImmediate(finish);
          throw error;
        }
        break;
      case "restart":
        await supervisor.restart(request.bot, progress);
        break;
      case "down":
        await supervisor.down();
        setImmediate(finish);
        break;
      default:
        request satisfies never;
        throw new HostError("damaged-state", "the supervisor doesn't know this request");
    }
    reply({ kind: "done" });
  });
  const finish = (): void => {
    rmSync(addressFile, { force: true });
    server.close();
    release();
    process.disconnect?.();
  };
  const end = (): void => void supervisor.down().then(finish);
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  process.on("SIGHUP", () => undefined);
  writeFileAtomic(addressFile, `${JSON.stringify(address)}\n`, 0o600);
  writeSync(READY_FD, "ready\n");
}
