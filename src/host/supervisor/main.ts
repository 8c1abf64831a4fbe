import { mkdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { takeLock, writeFileAtomic, type Lock } from "../../files/index.ts";
import { serveControl, toFailure } from "../control/index.ts";
import { asDiskError, HostError } from "../HostError.ts";
import { statePaths } from "../../paths/index.ts";
import { Supervisor } from "./Supervisor.ts";

/**
 * The supervisor's process, started by `startSupervisor`. It writes one line to descriptor 3 once
 * commands can reach it: `ready`, `running` when another one is already there, or what kept it from
 * starting as the JSON of a ControlFailure.
 */
const READY_FD = 3;

const paths = statePaths(process.env, process.getuid?.() ?? -1);
try {
  mkdirSync(paths.run, { recursive: true, mode: 0o700 });
  mkdirSync(paths.logs, { recursive: true, mode: 0o700 });
  const lock = await takeLock(join(paths.run, "supervisor.lock"), 0);
  if (lock === undefined) writeSync(READY_FD, "running\n");
  else await run(lock);
} catch (error) {
  writeSync(READY_FD, `${JSON.stringify(toFailure(asDiskError(error, "the state folder")))}\n`);
  process.exitCode = 5;
}

async function run(lock: Lock): Promise<void> {
  const supervisor = new Supervisor(paths);
  const addressFile = join(paths.run, "supervisor.json");
  const { address, server } = await serveControl(
    async (request, reply) => {
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
            throw asDiskError(error, "the state folder");
          }
          break;
        case "asks":
          reply({ kind: "asks", asks: supervisor.asks() });
          return;
        case "answer":
          supervisor.answer(request.id, request.verdict, request.scope);
          break;
        case "refresh-secrets":
          await supervisor.refreshSecrets();
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
    },
    process.platform === "darwin" ? paths.run : undefined,
  );
  const finish = (): void => {
    rmSync(addressFile, { force: true });
    server.close();
    lock.release();
    process.disconnect?.();
  };
  const end = (): void => void supervisor.down().then(finish);
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  process.on("SIGHUP", () => undefined);
  try {
    writeFileAtomic(addressFile, `${JSON.stringify(address)}\n`, 0o600);
  } catch (error) {
    finish();
    throw error;
  }
  writeSync(READY_FD, "ready\n");
}
