import { startRunNetwork } from "../../host/index.ts";
import type { StatePaths } from "../../paths/index.ts";
import { runCommand, type PreparedRun, type RunCommandOptions } from "../../run/index.ts";
import { askHidden } from "../askHidden.ts";
import { explainEnd } from "./explainEnd.ts";
import type { RunCall } from "./parseRun.ts";
import { readRefusals } from "./readRefusals.ts";
import { tellWeaker } from "./tellWeaker.ts";
import { traceFiles } from "./traceFiles.ts";

/** Runs a command that something outside belongs to: a broker, a port of the host, a look at its files. */
export async function runWatched(
  prepared: PreparedRun,
  call: RunCall,
  paths: StatePaths,
  common: RunCommandOptions,
): Promise<number> {
  const side = prepared.needsBroker
    ? await startRunNetwork(prepared.policy, paths, {
        env: process.env,
        askPassphrase: () => askHidden("passphrase of the vault: "),
        ...(common.shared === undefined ? {} : { onlyProxy: common.shared.proxyPort }),
      })
    : undefined;
  try {
    using trace = call.explain ? traceFiles(prepared) : undefined;
    const running = await runCommand(prepared, {
      ...common,
      ...(side === undefined ? {} : { network: side.network, onMessage: side.onMessage }),
      ...(trace === undefined ? {} : { through: trace.through }),
    });
    tellWeaker(running.mechanisms);
    side?.attach(running);
    const { code } = await running.ended;
    await side?.stop();
    const refusals = [
      ...(side?.record === undefined ? [] : readRefusals(side.record)),
      ...(trace?.refusals() ?? []),
    ];
    if (code !== 0 || refusals.length > 0) await explainEnd(prepared, call, { code, refusals });
    return code;
  } finally {
    await side?.stop();
  }
}
