import { spawn } from "node:child_process";
import { mkdirSync, openSync, closeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SupervisorFailure, type ControlFailure } from "./control/index.ts";
import { asDiskError, HostError } from "./HostError.ts";
import type { StatePaths } from "../paths/index.ts";

const MAIN = fileURLToPath(new URL("./supervisor/main.ts", import.meta.url));

/**
 * Starts the supervisor as a daemon of its own session and waits until commands can reach it. Does
 * nothing when one is already running.
 *
 * @throws HostError `disk`, `no-access` or `supervisor-died`; SupervisorFailure with its own reason.
 */
export async function startSupervisor(paths: StatePaths): Promise<void> {
  const log = openLog(paths);
  const child = spawn(process.execPath, [MAIN], {
    detached: true,
    stdio: ["ignore", log, log, "pipe"],
    cwd: "/",
    // Nothing of the person's environment, where keys tend to be, is passed on.
    env: {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      SEAWALL_STATE: paths.root,
      SEAWALL_STORE: paths.store,
      ...sessionBus(process.env),
    },
  });
  closeSync(log);
  const ready = child.stdio[3];
  let said = "";
  if (ready !== null && ready !== undefined && "setEncoding" in ready) {
    for await (const chunk of ready) {
      said += String(chunk);
      if (said.includes("\n")) break;
    }
  }
  child.unref();
  if (said === "ready\n" || said === "running\n") return;
  if (said.startsWith("{")) throw new SupervisorFailure(JSON.parse(said) as ControlFailure);
  throw new HostError("supervisor-died", "the supervisor did not start", {
    hint: "look at: seawall logs --supervisor",
  });
}

/** Where desktop notifications go, if this person has a desktop. */
function sessionBus(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const address = env["DBUS_SESSION_BUS_ADDRESS"];
  return address === undefined ? {} : { DBUS_SESSION_BUS_ADDRESS: address };
}

function openLog(paths: StatePaths): number {
  try {
    mkdirSync(paths.logs, { recursive: true, mode: 0o700 });
    return openSync(join(paths.logs, "supervisor.log"), "a", 0o600);
  } catch (error) {
    throw asDiskError(error, "the supervisor's log");
  }
}
