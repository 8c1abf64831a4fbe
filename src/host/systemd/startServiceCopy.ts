import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { ensureAuthority } from "../../authority/index.ts";
import type { StatePaths } from "../../paths/index.ts";
import {
  botUnits,
  bridgeState,
  browserUnits,
  scratchPlace,
  systemdTarget,
  type SystemdSystem,
  wantedBridge,
} from "../../targets/index.ts";
import type { WalledExit, WallSpec } from "../../wall/index.ts";
import { makeAgentsFolder } from "../agentsFolder.ts";
import { brokerConfig } from "../brokerConfig.ts";
import type { Generation } from "../Generation.ts";
import { HostError } from "../HostError.ts";
import { phantomsOf, type Copy, type CopyProcess } from "../startCopy.ts";
import { bridgeInput } from "./bridgeInput.ts";
import { machineInForce } from "./machineInForce.ts";
import { privateFiles } from "./privateFiles.ts";
import { requireSystem } from "./requireSystem.ts";
import { run, runOk } from "./run.ts";
import { resetUnits, showUnits } from "./systemctl.ts";
import { systemInput } from "./systemInput.ts";
import { systemPaths } from "./systemPaths.ts";
import { addTemporaryUnits, putFiles, removeTemporaryUnits } from "./temporaryUnits.ts";
import { usersOf } from "./usersOf.ts";

const LONGEST_S = 1800;

/**
 * The same as `startCopy` for a bot that systemd runs: its units, printed by the same code under other
 * names, for the same user, beside those that run and with nothing of their state.
 *
 * @param paths of the copy; programs come from the deployment's store.
 * @throws HostError, TargetError
 */
export async function startServiceCopy(options: {
  readonly generation: Generation;
  readonly bot: string;
  readonly paths: StatePaths;
  readonly alter: (spec: WallSpec) => WallSpec;
  /** What the bridge's file has from the start, where there is one. */
  readonly bridgeLog: string;
}): Promise<Copy> {
  const { bot, paths, alter, bridgeLog } = options;
  const version = await requireSystem();
  // Only one of its bots runs here: the neighbour's phantoms are all that is wanted of it.
  const all = options.generation;
  const { autoUpdate: _not, ...plan } = all.plan;
  const generation = {
    ...all,
    plan: { ...plan, bots: plan.bots.filter(({ name }) => name === bot) },
  };
  const { bots, brokers, gates, bridge } = usersOf(generation.plan);
  const folder = mkdtempSync("/run/seawall-copy-");
  const prefix = folder.slice("/run/".length).toLowerCase();
  const units = botUnits(bot, prefix);
  const scratch = scratchPlace(join(folder, "run"), bot);
  const [bridgeService] = wantedBridge(generation.plan, prefix).slice(-1);
  const names = [
    ...Object.values(units),
    scratch.unit,
    ...(Object.values(browserUnits(bot, prefix)) as string[]),
    ...wantedBridge(generation.plan, prefix),
  ] as string[];
  const stop = async (): Promise<void> => {
    await removeTemporaryUnits(names);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    chmodSync(folder, 0o711);
    const { system: found, place } = await machineInForce(systemPaths(paths), {
      version,
      programs: generation.programs,
      store: paths.store,
    });
    const system: SystemdSystem = {
      ...found,
      prefix,
      paths: {
        generation: join(folder, "generation"),
        state: join(folder, "state"),
        runtime: join(folder, "run"),
        vault: { file: paths.vault.file, identity: paths.vault.identity },
      },
    };
    // Its bridge knows the others' grants, though none of them is there.
    const between = bridgeInput(generation.plan, all.plan, generation.programs, system, place);
    // The unit that synchronizes agents is printed and never started.
    const agents = { declaration: all.declaration, environment: {} };
    const more = { agents, ...(between === undefined ? {} : { bridge: between }) };
    const input = systemInput(generation, system, place, more);
    const walls = input.bots[bot];
    if (walls === undefined) throw new HostError("no-such-bot", `there is no bot "${bot}"`);
    const altered = { ...walls, gateway: alter(walls.gateway) };
    putFiles(system.paths.generation, [
      ...systemdTarget.render({ ...input, bots: { [bot]: altered } }),
      ...(await privateFiles({ generation, paths, system, users: bots, before: undefined })),
    ]);
    if (generation.plan.bots.some(({ openclaw }) => openclaw.agents !== undefined))
      makeAgentsFolder(system.paths.state, bot);
    const { uid, gid } = brokers.get(bot) ?? { uid: 0, gid: 0 };
    chownSync(join(system.paths.generation, "private", bot, "broker.json"), uid, gid);
    const gate = gates.get(bot);
    if (gate !== undefined)
      chownSync(join(system.paths.generation, "private", bot, "gate.json"), gate.uid, gate.gid);
    await runOk("systemd-tmpfiles", ["--create", join(system.paths.generation, "tmpfiles.conf")]);
    if (bridge !== undefined) {
      const file = join(bridgeState(system.paths.state), "bridge.jsonl");
      writeFileSync(file, bridgeLog, { mode: 0o600 });
      chownSync(file, bridge.uid, bridge.gid);
    }
    const output = join(folder, "output");
    const short = `Restart=no\nRuntimeMaxSec=${LONGEST_S}\n`;
    await addTemporaryUnits(
      system.paths.generation,
      names,
      new Map([
        [units.gateway, `Restart=no\nStandardOutput=file:${output}\nStandardError=journal\n`],
        // Should this process be killed, nothing of the copy goes on for long.
        ...[units.broker, ...[bridgeService ?? []].flat()].map((each) => [each, short] as const),
      ]),
    );
    await runOk("systemctl", ["start", "--", units.broker]);
    const authority = await ensureAuthority(paths.authority);
    const config = await brokerConfig({
      generation: all,
      paths,
      authority,
      vault: system.paths.vault,
      credentials: undefined,
    });
    const broker = (await showUnits([units.broker])).get(units.broker);
    const log = join(folder, "log");
    return {
      home: join(system.paths.state, "bots", bot),
      uid: bots.get(bot)?.uid,
      phantoms: phantomsOf(config),
      mechanisms: [],
      brokerPid: broker?.pid,
      log,
      launch: () => launch(units.gateway, output, log),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts the gateway's unit; what it prints comes over a socket that systemd connects to. */
function launch(unit: string, output: string, log: string): CopyProcess {
  const stdout = new PassThrough();
  let connection: Socket | undefined;
  const server = createServer((socket) => {
    connection = socket;
    socket.on("error", () => stdout.end());
    socket.pipe(stdout);
  });
  server.listen(output);
  const exited = (async (): Promise<WalledExit> => {
    await once(server, "listening");
    const child = spawn("systemctl", ["start", "--wait", "--", unit], { stdio: "ignore" });
    await once(child, "close");
    server.close();
    // Nobody connected when it did not come to be started.
    if (connection === undefined) stdout.end();
    else if (!connection.closed) await once(connection, "close");
    return endOf(unit, log);
  })();
  return {
    stdout,
    stderr: null,
    exited,
    kill: (signal) => {
      void run("systemctl", ["kill", `--signal=${signal}`, "--", unit]);
      return true;
    },
  };
}

/** How its program ended, and what the journal has of it, which is written to `log`. */
async function endOf(unit: string, log: string): Promise<WalledExit> {
  const { stdout } = await run("systemctl", [
    "show",
    "--property=ExecMainCode,ExecMainStatus,Result",
    "--",
    unit,
  ]);
  const said = (name: string): number =>
    Number(new RegExp(`^${name}=(\\d+)$`, "m").exec(stdout)?.[1] ?? 0);
  const journal = await run("journalctl", ["-b", "-o", "cat", "--no-pager", "-u", unit]);
  writeFileSync(log, journal.stdout);
  await resetUnits([unit]);
  // 1 of CLD_EXITED (sigaction(2)); else it is the number of a signal.
  const status = said("ExecMainStatus");
  const code = said("ExecMainCode") === 1 ? status : 128 + status;
  const began = said("ExecMainCode") !== 0;
  const refusal = journal.stdout
    .trim()
    .split("\n")
    .findLast((line) => line !== "");
  return {
    code: began ? code : null,
    signal: null,
    ...(began || refusal === undefined ? {} : { refusal: refusal.slice(0, 300) }),
  };
}
