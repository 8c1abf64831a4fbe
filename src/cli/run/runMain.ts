import { statePaths, type StatePaths } from "../../paths/index.ts";
import {
  hasTerminal,
  openShared,
  prepareRun,
  runCommand,
  type PreparedRun,
} from "../../run/index.ts";
import { parseRun, type RunCall } from "./parseRun.ts";
import { tellWeaker } from "./tellWeaker.ts";

/**
 * `seawall run`: everything but a broker is loaded when it is needed and not before, since whoever
 * walls single commands waits for each.
 *
 * @returns the command's exit code, or of what was asked instead
 */
export async function runMain(args: readonly string[]): Promise<number> {
  const call = parseRun(args, process.cwd());
  const { request } = call;
  if (request === undefined) {
    const { runHelp } = await import("./runHelp.ts");
    return runHelp();
  }
  const paths = statePaths(process.env, process.getuid?.() ?? -1);
  const prepared = await prepareRun(request, {
    env: process.env,
    own: { state: paths.root, store: paths.store },
    make: !call.dryRun,
    terminal: hasTerminal(),
  });
  if (call.dryRun) {
    const { dryRun } = await import("./dryRun.ts");
    return await dryRun(prepared, call);
  }
  if (call.saveProfile !== undefined) {
    const { saveProfile } = await import("./saveProfile.ts");
    await saveProfile(call.saveProfile, request);
  }
  return await start(prepared, call, paths);
}

async function start(prepared: PreparedRun, call: RunCall, paths: StatePaths): Promise<number> {
  using shared = await openShared(prepared, paths.root);
  const common = { state: paths.root, ...(shared === undefined ? {} : { shared }) };
  if (prepared.needsBroker || call.explain) {
    const { runWatched } = await import("./runWatched.ts");
    return await runWatched(prepared, call, paths, common);
  }
  const running = await runCommand(prepared, common);
  tellWeaker(running.mechanisms);
  const { code } = await running.ended;
  if (code !== 0) {
    const { explainEnd } = await import("./explainEnd.ts");
    await explainEnd(prepared, call, { code, refusals: [] });
  }
  return code;
}
