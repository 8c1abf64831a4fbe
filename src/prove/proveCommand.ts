import { spawn } from "node:child_process";
import { chmodSync, closeSync, existsSync, openSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { chooseAttacks } from "./chooseAttacks.ts";
import type { Field } from "./Field.ts";
import { makeBundle } from "./makeBundle.ts";
import { ProveError } from "./ProveError.ts";
import { makeReport, type ProveReport } from "./ProveReport.ts";
import { startRange, type Range } from "./range/startRange.ts";
import { runAttacks, type Running } from "./runAttacks.ts";
import { fillCommand } from "./fillCommand.ts";

export interface ProveCommandOptions {
  /** With `{}` where the attacks' command line goes. */
  readonly command: string;
  readonly onProgress: (text: string) => void;
  /** Ends it early; everything is removed then, too. */
  readonly signal: AbortSignal;
  /** Attacks and groups by name; all of them if absent. */
  readonly only?: readonly string[];
}

const KEPT_ERRORS = 8_192;

/**
 * Runs the attacks behind any command, with what they are aimed at around it: a home with keys, a
 * neighbour, services on the loopback and on sockets. The command gets that home as HOME, a
 * repository in it as its folder, and a key in its environment, as somebody would start a tool.
 *
 * @throws ProveError `bad-command`, `did-not-start`.
 */
export async function proveCommand(options: ProveCommandOptions): Promise<ProveReport> {
  const began = performance.now();
  const chosen = chooseAttacks(options.only);
  // Before anything is planted.
  fillCommand(options.command, ["true"]);
  const range = await startRange({ node: process.execPath, uid: undefined });
  try {
    const bundle = makeBundle(join(range.folder, "bundle"));
    const [program = "", ...args] = fillCommand(options.command, [
      process.execPath,
      bundle.main,
      bundle.job,
    ]);
    const outcomes = await runAttacks({
      attacks: chosen,
      field: commandField(range, bundle.addon),
      job: bundle.job,
      witness: range.witness,
      markers: [range.marker],
      launch: () => launch(program, args, range),
      onProgress: options.onProgress,
      signal: options.signal,
    });
    return makeReport(outcomes, began);
  } finally {
    await range.close();
  }
}

function commandField(range: Range, addon: string): Field {
  const programs = ["/usr/bin/env", "/usr/lib", process.execPath]
    .filter((path) => existsSync(path))
    .map((path) => ({ path, planted: false }));
  return {
    ...range.field,
    home: range.planted.project,
    addon,
    granted: [process.execPath],
    multicall: [],
    configuration: [join(range.planted.home, ".gitconfig"), "/etc/hosts"],
    places: { ...range.field.places, programs },
  };
}

function launch(program: string, args: readonly string[], range: Range): Running {
  // Left open by mistake, as shells and supervisors do.
  const leaked = openSync(range.planted.owner[0] ?? "/dev/null", "r");
  const child = spawn(program, [...args], {
    cwd: range.planted.project,
    env: { ...process.env, HOME: range.planted.home, API_KEY: range.marker },
    stdio: ["ignore", "pipe", "pipe", leaked],
    // A group of its own, so that all of it can be ended.
    detached: true,
  });
  closeSync(leaked);
  chmodSync(range.planted.project, 0o777);
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-KEPT_ERRORS);
  });
  const { promise: exited, resolve, reject } = Promise.withResolvers<{ code: number | null }>();
  child.once("error", (cause) => {
    reject(
      new ProveError("did-not-start", `"${program}" can't be started: ${cause.message}`, {
        hint: "is it installed?",
        cause,
      }),
    );
  });
  child.once("close", (code, signal) => {
    resolve({ code: signal === null ? code : 128 + constants.signals[signal] });
  });
  exited.catch(() => undefined);
  if (child.stdout === null) throw new ProveError("did-not-start", "the command has no output");
  return {
    stdout: child.stdout,
    errors: () => errors,
    exited,
    kill: () => {
      if (child.pid === undefined || child.exitCode !== null) return;
      process.kill(-child.pid, "SIGKILL");
    },
  };
}
