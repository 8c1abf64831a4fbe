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
 * @param variables which of the environment hold secrets that the declaration takes from there.
 *
 * @throws HostError `disk`, `no-access` or `supervisor-died`; SupervisorFailure with its own reason.
 */
export async function startSupervisor(
  paths: StatePaths,
  variables: readonly string[] = [],
): Promise<void> {
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
      ...pick(process.env, [...PASSED_ON, ...variables]),
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

/** The desktop's notifications and keyring; a service manager's credentials; where Podman keeps its images. */
const PASSED_ON = [
  "DBUS_SESSION_BUS_ADDRESS",
  "XDG_RUNTIME_DIR",
  "CREDENTIALS_DIRECTORY",
  "CONTAINERS_STORAGE_CONF",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
];

function pick(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function openLog(paths: StatePaths): number {
  try {
    mkdirSync(paths.logs, { recursive: true, mode: 0o700 });
    return openSync(join(paths.logs, "supervisor.log"), "a", 0o600);
  } catch (error) {
    throw asDiskError(error, "the supervisor's log");
  }
}
