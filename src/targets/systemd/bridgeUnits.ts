import type { Plan } from "../../plan/index.ts";
import { compileWall, type SharedFilters } from "../../wall/index.ts";
import { targetFile, type TargetFile } from "../Target.ts";
import { TargetError } from "../TargetError.ts";
import { journalFields, unit } from "./brokerUnits.ts";
import { knownDirectives } from "./directives.ts";
import { HARDENING, LAUNCHER_CALLS } from "./hardening.ts";
import { protectHome, unitMounts } from "./mounts.ts";
import { BRIDGE_USER, bridgeUnits as names, brokerUser, SLICE_UNIT, TARGET_UNIT } from "./names.ts";
import { hasBridge } from "./sockets.ts";
import type { SystemdBridge, SystemdSystem } from "./SystemdInput.ts";
import { plainText, plainWord, type Directives } from "./unitFile.ts";

/** Of the generation: what the bridge is told. */
export const BRIDGE_FOLDER = "bridge";
const MEGABYTE = 1024 * 1024;

/** What the bridge is told, inside its unit. */
export function bridgeConfigInside(runtime: string): string {
  return `${runtime}/bridge.json`;
}

/** Where its messages are kept. */
export function bridgeState(state: string): string {
  return `${state}/bridge`;
}

/** The socket of one bot's broker. */
export function bridgeSocket(runtime: string, bot: string): string {
  return `${runtime}/${bot}/bridge/socket`;
}

/**
 * Messages from bot to bot, where each has a broker of its own: a process without a network, a
 * secret or a program, and for each broker a socket that its user alone may connect to.
 */
export function bridgeUnits(
  { bots }: Plan,
  bridge: SystemdBridge | undefined,
  system: SystemdSystem,
  filters: SharedFilters,
): TargetFile[] {
  const members = bots.filter((bot) => hasBridge(bot)).map(({ name }) => name);
  if (members.length === 0) return [];
  if (bridge === undefined)
    throw new TargetError("unprintable", "there is nothing to keep bots' messages by");
  const { paths, programs, version, host, prefix } = system;
  const units = names(prefix);
  const sockets = members.map((bot) => units.socket(bot));
  const policy = `${BRIDGE_FOLDER}/bridge.policy`;
  const rules = `${BRIDGE_FOLDER}/rules.json`;
  const launch = `${paths.runtime}/bridge.policy`;
  const inside = bridgeConfigInside(paths.runtime);
  const { directives: mounts } = unitMounts(bridge.wall, BRIDGE_FOLDER, paths);
  const service: Directives = [
    ["Type", "notify"],
    ["NotifyAccess", "main"],
    ["ExecStart", `${plainWord(programs.launcher)} --policy ${launch}`],
    ["User", BRIDGE_USER],
    ["Slice", SLICE_UNIT],
    ["Restart", "always"],
    ["RestartSec", "100ms"],
    ["RestartSteps", "8"],
    ["RestartMaxDelaySec", "30s"],
    ["WatchdogSec", "30s"],
    ["TimeoutStartSec", "60s"],
    ["TimeoutStopSec", "15s"],
    ["Environment", `SEAWALL_BRIDGE_CONFIG=${inside}`],
    ["PrivateNetwork", "yes"],
    ...HARDENING,
    ...protectHome(bridge.wall, [programs.launcher]),
    ...LAUNCHER_CALLS,
    // The launcher's to systemd, to say that it is ready.
    ["RestrictAddressFamilies", "AF_UNIX"],
    ["IPAddressDeny", "any"],
    ["SocketBindDeny", "any"],
    ["DevicePolicy", "closed"],
    // What waits for one bot is bounded to 8 MB, which V8 may keep as twice that while it writes them anew.
    ["MemoryMax", String((256 + 32 * members.length) * MEGABYTE)],
    ["TasksMax", "32"],
    ["OOMPolicy", "stop"],
    ...journalFields("all", "bridge"),
    ...mounts,
    ["BindReadOnlyPaths", plainWord(programs.launcher)],
    ["ExecPaths", `+${plainWord(programs.launcher)}`],
    ["BindReadOnlyPaths", `${paths.generation}/${policy}:${launch}`],
    ["BindReadOnlyPaths", `${paths.generation}/${rules}:${inside}`],
  ];
  const needed = sockets.join(" ");
  return [
    unit(units.service, [
      [
        "Unit",
        [
          ["Description", "Seawall: messages between bots"],
          ["PartOf", TARGET_UNIT],
          ["Requires", needed],
          ["After", needed],
          ["StartLimitIntervalSec", "0"],
        ],
      ],
      ["Service", [["Sockets", needed], ...knownDirectives(service, version)]],
    ]),
    ...members.map((bot) =>
      unit(units.socket(bot), [
        [
          "Unit",
          [
            ["Description", plainText(`Seawall: bridge of ${bot} to other bots`)],
            ["PartOf", TARGET_UNIT],
          ],
        ],
        [
          "Socket",
          [
            ["Service", units.service],
            ["FileDescriptorName", bot],
            ["ListenStream", bridgeSocket(paths.runtime, bot)],
            // Who connects is this bot's broker: nobody else can, and by no other socket can it.
            ["SocketUser", brokerUser(bot)],
            ["SocketMode", "0600"],
            ["DirectoryMode", "0711"],
            ["TriggerLimitIntervalSec", "0"],
            ["Slice", SLICE_UNIT],
          ],
        ],
      ]),
    ),
    targetFile(policy, compileWall(bridge.wall, host, filters).policy),
    targetFile(rules, bridge.config),
  ];
}
