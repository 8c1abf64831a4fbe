import { lookup } from "node:dns/promises";
import type { BrokerBot, BrokerConfig } from "../../broker/index.ts";
import { hasPlugin, readPin } from "../../openclaw/index.ts";
import { startWalled } from "../../wall/index.ts";
import { HostError } from "../HostError.ts";
import type { LogFile } from "../LogFile.ts";
import { registryGrant, type PluginLaunch } from "../pluginLaunch.ts";
import type { BotLaunch } from "./BotProcess.ts";
import type { BrokerProcess } from "./BrokerProcess.ts";
import { closeHandle, type ListenerMessage } from "./launchMessages.ts";

/** 33 s were measured, and more than 300 on a machine that does much else; most of it is OpenClaw and npm starting several times. */
const TIMEOUT_MS = 900_000;

/**
 * Installs those of a bot's plugins that its state lacks, one after the other. While one is being
 * installed, the broker passes its wall's connections to the registry through.
 *
 * @throws HostError `plugin-not-installed` with the log to look at.
 */
export async function installPlugins(options: {
  readonly launch: BotLaunch;
  readonly broker: BrokerProcess;
  /** In force before and afterwards. */
  readonly config: BrokerConfig;
  readonly log: LogFile;
  readonly progress: (text: string) => void;
}): Promise<void> {
  const { launch, broker, config, log, progress } = options;
  const pin = readPin(launch.openclaw);
  for (const install of launch.plugins) {
    if (hasPlugin(install.plugin, launch.state, pin)) continue;
    progress(`installing ${install.plugin} into ${launch.name}`);
    log.note(`installing ${install.plugin}`);
    const access = await registryAccess(install, launch.name, config);
    await broker.configure({ ...config, bots: [...config.bots, access] });
    try {
      await run(install, access.name, launch, broker, log);
    } finally {
      broker.drop(access.name);
      await broker.configure(config);
    }
    if (hasPlugin(install.plugin, launch.state, pin)) continue;
    throw new HostError(
      "plugin-not-installed",
      `plugin "${install.plugin}" could not be installed into bot "${launch.name}"`,
      { hint: `look at: seawall logs ${launch.name}` },
    );
  }
}

/** A namespace that reaches the registry, passed through, and holds no secret. */
async function registryAccess(
  { plugin, registry }: PluginLaunch,
  bot: string,
  { bots }: BrokerConfig,
): Promise<BrokerBot> {
  const certificate = bots.find((each) => each.name === bot)?.certificate;
  if (certificate === undefined) throw new HostError("damaged-state", `there is no bot "${bot}"`);
  const { address } = await lookup(registry.name).catch((cause: unknown) => {
    throw new HostError("plugin-not-installed", `plugin "${plugin}" could not be fetched`, {
      hint: `npm's registry can't be found; see: npm config get registry`,
      cause,
    });
  });
  return {
    // No bot can have this name.
    name: `${bot}/plugins`,
    grants: [registryGrant(registry, address)],
    certificate,
  };
}

async function run(
  { wall }: PluginLaunch,
  name: string,
  { launcher, bwrap, uid }: BotLaunch,
  broker: BrokerProcess,
  log: LogFile,
): Promise<void> {
  const handles: unknown[] = [];
  const running = startWalled(wall, {
    launcher,
    bwrap,
    ...(uid === undefined ? {} : { uid, gid: uid }),
    stdout: "pipe",
    stderr: "pipe",
    onMessage: (message, handle) => {
      handles.push(handle);
      broker.giveListener({ message: { ...(message as ListenerMessage), bot: name }, handle });
    },
  });
  running.stdout?.on("data", (chunk: Buffer) => log.write(chunk));
  running.stderr?.on("data", (chunk: Buffer) => log.write(chunk));
  const timer = setTimeout(() => running.kill("SIGKILL"), TIMEOUT_MS);
  const { code, signal } = await running.exited;
  clearTimeout(timer);
  for (const handle of handles) closeHandle(handle);
  log.note(`the installation ended with ${signal ?? `exit code ${code ?? "unknown"}`}`);
}
