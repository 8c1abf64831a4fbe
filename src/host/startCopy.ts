import { existsSync, copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { ensureAuthority } from "../authority/index.ts";
import type { BrokerConfig } from "../broker/index.ts";
import { locateVault } from "../secrets/index.ts";
import { probeHost, startWalled, type WalledProcess, type WallSpec } from "../wall/index.ts";
import { botLaunch } from "./botLaunch.ts";
import { assignUsers } from "./botUsers.ts";
import { brokerConfig } from "./brokerConfig.ts";
import { browserSetup, browserUser } from "./browserSetup.ts";
import { brokerWall } from "./brokerWall.ts";
import type { Generation } from "./Generation.ts";
import { HostError } from "./HostError.ts";
import { LogFile } from "./LogFile.ts";
import type { StatePaths } from "../paths/index.ts";
import { BrokerProcess } from "./supervisor/BrokerProcess.ts";
import { BrowserService } from "./supervisor/BrowserService.ts";
import { closeHandle, type LaunchMessage, listenerOf } from "./supervisor/launchMessages.ts";

/** A bot's wall and broker beside those of the deployment, with nothing of its state. */
export interface Copy {
  /** Host path of the bot's own folder. */
  readonly home: string;
  /** Whom it runs as, if not as who runs this. */
  readonly uid: number | undefined;
  /** What the broker gives the bot and its neighbours in place of secrets, by bot and grant. */
  readonly phantoms: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly mechanisms: readonly {
    readonly mechanism: string;
    readonly state: string;
    readonly detail: string;
  }[];
  readonly brokerPid: number | undefined;
  /** Log of the bot, as the supervisor would keep it. */
  readonly log: string;
  /** Starts what `alter` put in place of OpenClaw; its listeners go to the broker as a bot's do. */
  launch(): CopyProcess;
  stop(): Promise<void>;
}

/** What an attacker of a copy is started as. */
export type CopyProcess = Pick<WalledProcess, "stdout" | "stderr" | "exited" | "kill">;

/** By bot and grant. */
export function phantomsOf(config: BrokerConfig): Copy["phantoms"] {
  return new Map(
    config.bots.map(({ name, grants }) => [
      name,
      new Map(
        grants.flatMap((each) => (each.kind === "inject" ? [[each.name, each.phantom]] : [])),
      ),
    ]),
  );
}

/**
 * Starts a broker for `generation` in a state folder of its own, and prepares the wall of one of
 * its bots as the supervisor would: the same specification, compiled and started by the same code,
 * changed only by `alter`. Nothing of a deployment that runs is touched.
 *
 * @param users the deployment's list of uids, so that the copy runs as the bot does.
 * @throws WallError when this host can't enforce it; HostError `broker-refused`.
 */
export async function startCopy(options: {
  readonly generation: Generation;
  readonly bot: string;
  readonly paths: StatePaths;
  readonly users: string;
  readonly alter: (spec: WallSpec) => WallSpec;
}): Promise<Copy> {
  const { generation, bot, paths, alter } = options;
  const plan = generation.plan.bots.find(({ name }) => name === bot);
  if (plan === undefined) throw new HostError("no-such-bot", `there is no bot "${bot}"`);
  for (const folder of [paths.audit, paths.logs, paths.run]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  const uid = userOf(bot, options);
  const authority = await ensureAuthority(paths.authority);
  const { file, identity } = await locateVault(paths.vault.folder);
  const vault = { file, identity };
  const config = await brokerConfig({
    generation,
    paths,
    authority,
    vault,
    credentials: undefined,
  });
  const { launcher } = generation.programs;
  const capabilities = await probeHost({
    launcher,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const { wall, bwrap } = botLaunch({
    plan,
    generation,
    paths,
    authority,
    capabilities,
    uid,
    alter,
  });
  const ours = await probeHost({ launcher });
  const browserLog = new LogFile(join(paths.logs, "browser.log"));
  const browsers = new BrowserService(browserLog, paths.run);
  const dialBrowser = async (asking: string, id: number): Promise<void> => {
    const handle = await browsers.connect(asking).catch(() => undefined);
    broker.giveConnection(id, handle === undefined ? { error: "ENOENT" } : { handle });
  };
  const broker = new BrokerProcess({
    log: new LogFile(join(paths.logs, "broker.log")),
    callbacks: {
      onDial: (_bot, id) => broker.giveConnection(id, { error: "ENOTCONN" }),
      onDialProgram: (asking, _grant, id) => void dialBrowser(asking, id),
      onAsk: () => undefined,
      listeners: () => [],
    },
  });
  const names = generation.plan.bots.map(({ name }) => browserUser(name));
  const setup = await browserSetup({
    generation,
    store: paths.store,
    authority,
    capabilities,
    ours,
    users: uid === undefined ? new Map() : assignUsers(paths.users, names),
  });
  try {
    await browsers.use(setup);
    await broker.useWall(brokerWall(generation, paths, ours), launcher);
    await broker.configure(config);
  } catch (error) {
    await browsers.stop();
    throw error;
  }
  const log = new LogFile(join(paths.logs, `${bot}.log`));
  return {
    home: join(paths.bots, bot),
    uid,
    phantoms: phantomsOf(config),
    mechanisms: wall.mechanisms,
    brokerPid: broker.status().pid,
    log: join(paths.logs, `${bot}.log`),
    launch: () => {
      const handles: unknown[] = [];
      const running = startWalled(wall, {
        launcher,
        bwrap,
        ...(uid === undefined ? {} : { uid, gid: uid }),
        stdout: "pipe",
        stderr: "pipe",
        onMessage: (message, handle) => {
          const said = message as LaunchMessage;
          handles.push(handle);
          if (said.type !== "listener") return;
          const owner = { name: bot, ...(uid === undefined ? {} : { uid }) };
          broker.giveListener({ message: listenerOf(said, owner), handle });
        },
      });
      running.stderr?.on("data", (chunk: Buffer) => log.write(chunk));
      void running.exited.then(() => {
        broker.drop(bot);
        for (const handle of handles) closeHandle(handle);
      });
      return running;
    },
    stop: async () => {
      await browsers.stop();
      browserLog.close();
      await broker.stop(0);
      log.close();
    },
  };
}

/** Root's bots have uids of their own: the one it has already, or the next one. */
function userOf(
  bot: string,
  { paths, users }: { readonly paths: StatePaths; readonly users: string },
): number | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (existsSync(users)) copyFileSync(users, paths.users);
  return assignUsers(paths.users, [bot]).get(bot);
}
