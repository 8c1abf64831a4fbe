import { compileSeatbelt, type WallSpec } from "../../wall/index.ts";
import { TargetError } from "../TargetError.ts";
import { targetFile, type Target, type TargetFile } from "../Target.ts";
import { plist, type PlistValue } from "./plist.ts";

/** All that the launchd target prints from. Nothing in it is secret. */
export interface LaunchdInput {
  /** By bot. Everything is at its own path; the network is `network.proxy`. */
  readonly bots: Readonly<Record<string, LaunchdBot>>;
  readonly paths: LaunchdPaths;
}

export interface LaunchdBot {
  readonly wall: WallSpec;
}

export interface LaunchdPaths {
  /** Where these files will lie. */
  readonly target: string;
  readonly logs: string;
  /** What starts the broker: program and arguments. */
  readonly broker: readonly [string, ...string[]];
}

const LABEL = "dev.seawall";

/** Agents of the user's own launchd: one for the broker, and one for each bot behind its Seatbelt profile. */
export const launchdTarget: Target<LaunchdInput> = {
  name: "launchd",
  summary: "agents for launchd and Seatbelt profiles, for macOS",
  render: ({ bots, paths }) => {
    const files: TargetFile[] = [
      targetFile(`LaunchAgents/${LABEL}.broker.plist`, brokerAgent(paths)),
    ];
    for (const [name, bot] of Object.entries(bots)) {
      if (!/^[a-z](?:[a-z0-9-]{0,22}[a-z0-9])?$/u.test(name))
        throw new TargetError("unprintable", `"${name}" can't be part of an agent's label`);
      files.push(
        targetFile(`LaunchAgents/${LABEL}.bot.${name}.plist`, botAgent(name, bot, paths)),
        targetFile(`profiles/${name}.sb`, compileSeatbelt(bot.wall)),
      );
    }
    return files.toSorted((one, other) => (one.path < other.path ? -1 : 1));
  },
};

/** launchd.plist(5). */
function brokerAgent({ broker, logs }: LaunchdPaths): string {
  return plist({
    Label: `${LABEL}.broker`,
    ProgramArguments: [...broker],
    EnvironmentVariables: { PATH: "/nonexistent", TZ: "UTC" },
    ...kept(`${logs}/broker.log`),
  });
}

function botAgent(name: string, { wall }: LaunchdBot, { target, logs }: LaunchdPaths): string {
  const { limits } = wall;
  const resources: Record<string, PlistValue> = {
    // No number of processes: macOS counts all of the user's. Else a core dump would hold what the bot knows.
    Core: 0,
    ...(limits.openFiles === undefined ? {} : { NumberOfFiles: limits.openFiles }),
    ...(limits.fileSize === undefined ? {} : { FileSize: limits.fileSize }),
    ...(limits.memory === undefined ? {} : { Data: limits.memory }),
  };
  return plist({
    Label: `${LABEL}.bot.${name}`,
    ProgramArguments: [
      "/usr/bin/sandbox-exec",
      "-f",
      `${target}/profiles/${name}.sb`,
      ...wall.command,
    ],
    EnvironmentVariables: environment(wall),
    WorkingDirectory: wall.cwd,
    Umask: 0o077,
    HardResourceLimits: resources,
    SoftResourceLimits: resources,
    ...kept(`${logs}/${name}.log`),
  });
}

/** What clients are told, since the network itself can't be the broker here. */
function environment({ environment: own, network: { proxy } }: WallSpec): Record<string, string> {
  if (proxy === undefined) return { ...own };
  const url = `http://127.0.0.1:${proxy}`;
  return {
    ...own,
    ...Object.fromEntries(
      ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].map((name) => [name, url]),
    ),
    NO_PROXY: "127.0.0.1,localhost,::1",
    no_proxy: "127.0.0.1,localhost,::1",
    // Node's own fetch and http heed the variables only then (Node 24.5).
    NODE_USE_ENV_PROXY: "1",
  };
}

function kept(log: string): Record<string, PlistValue> {
  return {
    RunAtLoad: true,
    KeepAlive: true,
    ThrottleInterval: 10,
    ProcessType: "Background",
    StandardInPath: "/dev/null",
    StandardOutPath: log,
    StandardErrorPath: log,
  };
}
