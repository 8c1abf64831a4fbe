import { openSync, closeSync } from "node:fs";
import { join } from "node:path";
import { compileRun, type CompiledRun } from "./compileRun.ts";
import { LAUNCHER } from "./launcher.ts";
import { loadedCode } from "./loadedCode.ts";
import { PolicyStore } from "./policyStore.ts";
import type { PreparedRun } from "./prepareRun.ts";
import { RunError } from "./RunError.ts";
import type { RunNetwork } from "./runSpec.ts";
import type { SharedPlace } from "./sharedPlace.ts";
import { startCommand, type RunningCommand, type StartCommandOptions } from "./startCommand.ts";

/** Where compiled policies are kept. */
export function policyFolder(state: string): string {
  return join(state, "policies");
}

/** Whether this process has a terminal of its own, on whichever descriptor. */
export function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    // None (ENXIO), or one that isn't ours to open.
    return false;
  }
}

export interface RunCommandOptions {
  readonly state: string;
  readonly network?: RunNetwork;
  readonly onMessage?: StartCommandOptions["onMessage"];
  readonly through?: readonly string[];
  /** Where there are no user namespaces, and that is conceded. */
  readonly shared?: SharedPlace;
}

/**
 * Compiles and starts a prepared command.
 *
 * @throws WallError when this host can't enforce the wall; RunError
 */
export async function runCommand(
  prepared: PreparedRun,
  options: RunCommandOptions,
): Promise<RunningCommand & Pick<CompiledRun, "mechanisms">> {
  const store = new PolicyStore(policyFolder(options.state));
  const code = await loadedCode(prepared.layout, store);
  const own = prepared.spec(code, options.network);
  const spec = options.shared?.adapt(own) ?? own;
  const compile = { spec, launcher: LAUNCHER, store, searchPath: prepared.searchPath };
  const compiled = await compileRun(compile);
  const running = await startCommand({
    spec,
    compiled,
    launcher: LAUNCHER,
    store,
    ...(options.onMessage === undefined ? {} : { onMessage: options.onMessage }),
    ...(options.through === undefined ? {} : { through: options.through }),
  });
  const ended = running.ended.then(async (end) => {
    if (end.started) return end;
    // What was found out about this host may be out of date; a fresh look has a better reason.
    await compileRun({ ...compile, fresh: true });
    throw new RunError("did-not-start", "bubblewrap could not build the wall", {
      hint: "its own words are above; see also: seawall doctor",
    });
  });
  return { ...running, ended, mechanisms: compiled.mechanisms };
}
