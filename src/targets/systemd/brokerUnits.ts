import type { BotPlan, Plan } from "../../plan/index.ts";
import { compileWall, type SharedFilters } from "../../wall/index.ts";
import { targetFile, type TargetFile } from "../Target.ts";
import { deliverSecrets } from "./deliverSecret.ts";
import { knownDirectives } from "./directives.ts";
import { HARDENING, LAUNCHER_CALLS } from "./hardening.ts";
import { afterInstall } from "./installUnits.ts";
import { protectHome, unitMounts } from "./mounts.ts";
import {
  botFolder,
  botUnits,
  bridgeUnits,
  browserUnits,
  botUser,
  brokerUser,
  privateFolder,
  SLICE_UNIT,
  TARGET_UNIT,
  type BotUnits,
} from "./names.ts";
import { botSockets, hasBridge, hasBrowser, hasCommands, metricsPort } from "./sockets.ts";
import { tellPlaces, tellUnits, toldBy } from "./tellUnits.ts";
import type { SystemdBot, SystemdSystem } from "./SystemdInput.ts";
import { plainText, plainWord, unitFile, type Directives } from "./unitFile.ts";

/** The broker of one bot: its sockets, in the bot's network and outside, and its service. */
export function brokerUnits(
  plan: Plan,
  bot: BotPlan,
  walls: SystemdBot,
  system: SystemdSystem,
  filters: SharedFilters,
): TargetFile[] {
  const { broker } = walls;
  const { paths, programs, version, prefix } = system;
  const units = botUnits(bot.name, prefix);
  const folder = botFolder(bot.name);
  const runtime = `${paths.runtime}/${bot.name}`;
  const policy = `${folder}/broker.policy`;
  const config = `${privateFolder(paths)}/${bot.name}/broker.json`;
  const { directives: mounts } = unitMounts(broker, folder, paths);
  const deliveries = deliverSecrets(plan, bot, paths).flatMap(({ directives }) => directives);
  const credentials = [...new Map(deliveries.map((each) => [each.join("="), each])).values()];
  const inside = `${runtime}/broker.json`;
  const launch = `${runtime}/broker.policy`;
  const commands = hasCommands(bot);
  // Not Sockets=: it connects to that one.
  const bridge = hasBridge(bot) ? [bridgeUnits(prefix).socket(bot.name)] : [];
  const tells = tellPlaces(plan, bot, paths.runtime, prefix).map(({ socket }) => socket);
  const gate = hasBrowser(bot) ? [browserUnits(bot.name, prefix).gateSocket] : [];
  const sockets = [
    units.sockets,
    units.ingress,
    units.control,
    units.metrics,
    ...(commands ? [units.command] : []),
  ];
  const service: Directives = [
    ["Type", "notify"],
    ["NotifyAccess", "main"],
    ["ExecStart", `${plainWord(programs.launcher)} --policy ${launch}`],
    ["User", brokerUser(bot.name)],
    ["Slice", SLICE_UNIT],
    ["Restart", "always"],
    ["RestartSec", "100ms"],
    ["RestartSteps", "8"],
    ["RestartMaxDelaySec", "30s"],
    ["WatchdogSec", "30s"],
    ["TimeoutStartSec", "60s"],
    ["TimeoutStopSec", "15s"],
    ["Environment", `SEAWALL_BROKER_CONFIG=${inside}`],
    ...credentials,
    ...HARDENING,
    ...protectHome(broker, [programs.launcher]),
    ...LAUNCHER_CALLS,
    ["RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX AF_NETLINK"],
    // It listens on what it is handed, and on nothing else.
    ["SocketBindDeny", "any"],
    ["DevicePolicy", "closed"],
    ["MemoryMax", "1G"],
    ["TasksMax", "64"],
    ["OOMPolicy", "stop"],
    ["OOMScoreAdjust", "-200"],
    ...journalFields(bot.name, "broker"),
    ...mounts,
    ["BindReadOnlyPaths", plainWord(programs.launcher)],
    ["ExecPaths", `+${plainWord(programs.launcher)}`],
    ["BindReadOnlyPaths", `${paths.generation}/${policy}:${launch}`],
    ["BindReadOnlyPaths", `${config}:${inside}`],
    ["BindReadOnlyPaths", `${runtime}/door`],
    ...bridge.map(() => ["BindReadOnlyPaths", `${runtime}/bridge`] as const),
    ...gate.map(() => ["BindReadOnlyPaths", `${runtime}/gate`] as const),
    ...(tells.length === 0 ? [] : ([["BindReadOnlyPaths", `${runtime}/tell`]] as const)),
  ];
  const told = toldBy(plan, bot, prefix).map(({ socket }) => socket);
  const needed = [...sockets, ...told].join(" ");
  return [
    unit(units.broker, [
      [
        "Unit",
        [
          ["Description", plainText(`Seawall: broker of ${bot.name}`)],
          ["PartOf", TARGET_UNIT],
          ["Requires", [needed, units.doorSocket].join(" ")],
          ...[...bridge, ...gate, ...tells].map((each) => ["Wants", each] as const),
          [
            "After",
            ["network.target", needed, units.doorSocket, ...bridge, ...gate, ...tells].join(" "),
          ],
          ...afterInstall("broker", bot.name, walls),
          ["StartLimitIntervalSec", "0"],
        ],
      ],
      ["Service", [["Sockets", needed], ...knownDirectives(service, version)]],
    ]),
    botSocketUnit(bot, system),
    hostSocketUnit(units, "ingress", bot.name, [["ListenStream", `127.0.0.1:${bot.ingress.port}`]]),
    hostSocketUnit(units, "control", bot.name, [
      ["ListenStream", `${runtime}/control`],
      ...ROOT_ONLY,
    ]),
    metricsUnit(plan, bot, units, runtime),
    ...(commands ? [commandUnit(bot.name, units, runtime)] : []),
    ...tellUnits(plan, bot, system),
    targetFile(policy, compileWall(broker, system.host, filters).policy),
  ];
}

const ROOT_ONLY: Directives = [
  ["SocketMode", "0600"],
  ["DirectoryMode", "0711"],
];

/** Where its client commands find the broker: the bot may connect, and nobody else sees the folder. */
function commandUnit(bot: string, units: BotUnits, runtime: string): TargetFile {
  return hostSocketUnit(units, "command", bot, [
    ["ListenStream", `${runtime}/command/socket`],
    ["SocketUser", botUser(bot)],
    ["SocketMode", "0600"],
    ["DirectoryMode", "0711"],
  ]);
}

function metricsUnit(plan: Plan, { name }: BotPlan, units: BotUnits, runtime: string): TargetFile {
  const port = metricsPort(plan, name);
  return hostSocketUnit(
    units,
    "metrics",
    name,
    port === undefined
      ? [["ListenStream", `${runtime}/metrics`], ...ROOT_ONLY]
      : [["ListenStream", `127.0.0.1:${port}`]],
  );
}

/** The listeners in the bot's network: whatever it connects to arrives there. */
function botSocketUnit(bot: BotPlan, { host, prefix }: SystemdSystem): TargetFile {
  const units = botUnits(bot.name, prefix);
  const listeners = botSockets(bot, host.ipv6).map(({ protocol, port, family }) => {
    const directive = protocol === "tcp" ? "ListenStream" : "ListenDatagram";
    return [directive, family === 4 ? `0.0.0.0:${port}` : `[::]:${port}`] as const;
  });
  return unit(units.sockets, [
    [
      "Unit",
      [
        ["Description", plainText(`Seawall: network of ${bot.name}, as its broker sees it`)],
        // What sockets have by themselves orders them before sockets.target, and so before every
        // service: this one comes after its network's, and at boot systemd would break the circle by
        // leaving some unit out.
        ["DefaultDependencies", "no"],
        ["Conflicts", "shutdown.target"],
        ["Before", "shutdown.target"],
        ["PartOf", TARGET_UNIT],
        ["JoinsNamespaceOf", units.network],
        ["BindsTo", units.network],
        ["After", units.network],
      ],
    ],
    [
      "Socket",
      [
        ["Service", units.broker],
        ["FileDescriptorName", "bot"],
        ["PrivateNetwork", "yes"],
        ["PrivateIPC", "yes"],
        ...listeners,
        ["BindIPv6Only", "ipv6-only"],
        ["Backlog", "511"],
        // A bot that floods its own broker must not have systemd give the sockets up.
        ["TriggerLimitIntervalSec", "0"],
        ["Slice", SLICE_UNIT],
      ],
    ],
  ]);
}

function hostSocketUnit(
  units: BotUnits,
  role: "ingress" | "control" | "metrics" | "command",
  bot: string,
  listens: Directives,
): TargetFile {
  return unit(units[role], [
    [
      "Unit",
      [
        ["Description", plainText(`Seawall: ${role} of ${bot}`)],
        ["PartOf", TARGET_UNIT],
      ],
    ],
    [
      "Socket",
      [
        ["Service", units.broker],
        ["FileDescriptorName", role],
        ...listens,
        ["TriggerLimitIntervalSec", "0"],
        ["Slice", SLICE_UNIT],
      ],
    ],
  ]);
}

/** By these `journalctl SEAWALL_BOT=basecamp` finds everything of a bot. */
export function journalFields(bot: string, role: string): Directives {
  return [
    ["SyslogIdentifier", `seawall-${role}`],
    ["LogExtraFields", `SEAWALL_BOT=${bot}`],
    ["LogExtraFields", `SEAWALL_ROLE=${role}`],
  ];
}

export function unit(name: string, sections: Parameters<typeof unitFile>[0]): TargetFile {
  return targetFile(`units/${name}`, unitFile(sections));
}
