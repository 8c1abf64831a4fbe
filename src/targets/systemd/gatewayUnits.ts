import type { BotPlan } from "../../plan/index.ts";
import {
  compileWall,
  type ResourceLimits,
  type SharedFilters,
  type WallSpec,
} from "../../wall/index.ts";
import { targetFile, type TargetFile } from "../Target.ts";
import { journalFields, unit } from "./brokerUnits.ts";
import { knownDirectives } from "./directives.ts";
import { HARDENING, LAUNCHER_CALLS, SMALL_CALLS } from "./hardening.ts";
import { afterInstall } from "./installUnits.ts";
import { protectHome, unitMounts } from "./mounts.ts";
import {
  botFolder,
  botUnits,
  botUser,
  brokerUser,
  privateFolder,
  scratchPlace,
  SLICE_UNIT,
  TARGET_UNIT,
} from "./names.ts";
import { hasCommands } from "./sockets.ts";
import type { SystemdBot, SystemdSystem } from "./SystemdInput.ts";
import { plainText, plainWord, type Directives } from "./unitFile.ts";

/** OpenClaw's gateway listens there, inside (openclaw/ownedSettings). */
const GATEWAY_PORT = 18789;
const POLICY_INSIDE = "/run/seawall/policy";

/** Where plan/assignAddresses takes addresses from. */
const ASSIGNED = ["11.0.0.0/8", "2600:5ea0::/32"];

/** No host name has a colon, or ends in a number (WHATWG URL, 3.5). */
const ADDRESS = /:|^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Hosts granted by address. */
function literals(bot: BotPlan): string[] {
  const names = bot.grants.flatMap(({ hosts }) => hosts.map(({ name }) => name));
  return [...new Set(names.filter((name) => ADDRESS.test(name)))].toSorted();
}

/** Above this share of its memory a service is slowed down before it is killed. */
const HIGH = 0.75;

/** What a bot may use up (systemd.resource-control(5), systemd.exec(5)). */
export function limitDirectives(limits: ResourceLimits): Directives {
  const { memory, processes, openFiles, fileSize, cpu } = limits;
  return [
    ...(memory === undefined
      ? []
      : ([
          ["MemoryMax", String(memory)],
          ["MemoryHigh", String(Math.floor(memory * HIGH))],
          ["MemorySwapMax", "0"],
        ] as const)),
    ...(processes === undefined
      ? []
      : ([
          ["TasksMax", String(processes)],
          // Each bot is a user of its own, so this counts the same where there is no such controller.
          ["LimitNPROC", String(processes)],
        ] as const)),
    ...(openFiles === undefined ? [] : ([["LimitNOFILE", String(openFiles)]] as const)),
    ...(fileSize === undefined ? [] : ([["LimitFSIZE", String(fileSize)]] as const)),
    ...(cpu === undefined ? [] : ([["CPUQuota", `${Math.round(cpu * 100)}%`]] as const)),
  ];
}

/** One bot's network, its gateway, and the door by which its broker reaches that. */
export function gatewayUnits(
  bot: BotPlan,
  walls: SystemdBot,
  system: SystemdSystem,
  filters: SharedFilters,
): TargetFile[] {
  const { gateway, policies = {} } = walls;
  const { version, prefix } = system;
  const units = botUnits(bot.name, prefix);
  const folder = botFolder(bot.name);
  const { paths, programs } = system;
  const scratch = scratchPlace(paths.runtime, bot.name);
  const { directives: mounts, files } = unitMounts(gateway, folder, paths, scratch.path);
  const policy = `${folder}/gateway.policy`;
  const service: Directives = [
    ["Type", "exec"],
    ["ExecStart", `${plainWord(programs.launcher)} --policy ${POLICY_INSIDE}`],
    ["EnvironmentFile", `${privateFolder(paths)}/${bot.name}/gateway.env`],
    ["User", botUser(bot.name)],
    ["Slice", SLICE_UNIT],
    ["Restart", "always"],
    ["RestartSec", "2s"],
    ["RestartSteps", "8"],
    ["RestartMaxDelaySec", "2min"],
    ["TimeoutStopSec", "10s"],
    ["KillMode", "mixed"],
    ["PrivateNetwork", "yes"],
    ...HARDENING,
    ...protectHome(gateway, [programs.launcher]),
    ...LAUNCHER_CALLS,
    // Nothing of OpenClaw listens on a Unix socket, and its children talk over pairs of them, which need no
    // such right; client commands connect to one. Without netlink OpenClaw finds no address of a local network,
    // which there is none of, and looks names up as before (2026.9.6).
    ["RestrictAddressFamilies", `AF_INET AF_INET6${hasCommands(bot) ? " AF_UNIX" : ""}`],
    // Every address is local to the bot; these are the ones that names are answered with.
    ["IPAddressDeny", "any"],
    ["IPAddressAllow", ["localhost", ...ASSIGNED, ...literals(bot)].join(" ")],
    ["SocketBindDeny", "any"],
    ["SocketBindAllow", `tcp:${GATEWAY_PORT}`],
    ["DevicePolicy", "closed"],
    ...limitDirectives(gateway.limits),
    ["OOMPolicy", "stop"],
    ["OOMScoreAdjust", "500"],
    // What it prints in a while; journald lets up to six times as much pass where the disk is empty.
    ["LogRateLimitIntervalSec", "30s"],
    ["LogRateLimitBurst", "1000"],
    ...journalFields(bot.name, "gateway"),
    ...mounts,
    ["BindReadOnlyPaths", plainWord(programs.launcher)],
    ["ExecPaths", `+${plainWord(programs.launcher)}`],
    ["BindReadOnlyPaths", `${paths.generation}/${policy}:${POLICY_INSIDE}`],
  ];
  return [
    networkUnit(units.network, bot.name, system),
    unit(units.gateway, [
      [
        "Unit",
        [
          ["Description", plainText(`Seawall: gateway of ${bot.name}`)],
          ["PartOf", TARGET_UNIT],
          ["JoinsNamespaceOf", units.network],
          ["BindsTo", units.network],
          // Not BindsTo: a broker that is started again takes its bot's calls up where they wait.
          ["Requires", [units.sockets, ...(hasCommands(bot) ? [units.command] : [])].join(" ")],
          ["RequiresMountsFor", scratch.path],
          ["Wants", units.broker],
          [
            "After",
            [
              units.network,
              units.sockets,
              ...(hasCommands(bot) ? [units.command] : []),
              units.broker,
            ].join(" "),
          ],
          ...afterInstall("gateway", bot.name, walls),
          ["StartLimitIntervalSec", "0"],
        ],
      ],
      ["Service", knownDirectives(service, version)],
    ]),
    scratchUnit(bot.name, gateway, scratch, units.gateway),
    ...doorUnits(bot.name, system),
    targetFile(policy, compileWall(gateway, system.host, filters).policy),
    ...Object.entries(policies).map(([name, bytes]) => targetFile(`${folder}/${name}`, bytes)),
    ...files,
  ];
}

/** The bot's /tmp: memory, so much and no more. It is emptied when the gateway is stopped. */
function scratchUnit(
  bot: string,
  { mounts }: WallSpec,
  { path, unit: name }: ReturnType<typeof scratchPlace>,
  gateway: string,
): TargetFile {
  const size = mounts.find((mount) => mount.kind === "memory" && mount.to === "/tmp");
  const bytes = size?.kind === "memory" ? size.size : 0;
  return unit(name, [
    [
      "Unit",
      [
        ["Description", plainText(`Seawall: temporary files of ${bot}`)],
        ["PartOf", `${TARGET_UNIT} ${gateway}`],
        ["DefaultDependencies", "no"],
        ["After", "systemd-tmpfiles-setup.service"],
        ["Conflicts", "umount.target"],
        ["Before", "umount.target"],
      ],
    ],
    [
      "Mount",
      [
        ["What", "tmpfs"],
        ["Where", path],
        ["Type", "tmpfs"],
        ["Options", `mode=1777,nosuid,nodev,noexec,size=${bytes}`],
      ],
    ],
  ]);
}

/**
 * A network namespace with nothing but a loopback, on which every address is local. It is there for
 * as long as this unit is active; those that join it name it by `JoinsNamespaceOf=`. No process of
 * it goes on, and none of root's is needed.
 */
export function networkUnit(
  name: string,
  bot: string,
  { programs: { ip }, host, version }: SystemdSystem,
): TargetFile {
  const command = plainWord(ip);
  const service: Directives = [
    ["Type", "oneshot"],
    ["RemainAfterExit", "yes"],
    ["ExecStart", `${command} link set lo up`],
    ["ExecStart", `${command} route add local 0.0.0.0/0 dev lo`],
    ...(host.ipv6 ? ([["ExecStart", `${command} -6 route add local ::/0 dev lo`]] as const) : []),
    ["DynamicUser", "yes"],
    ["Slice", SLICE_UNIT],
    ["PrivateNetwork", "yes"],
    ...HARDENING.filter(
      ([name]) =>
        // The user namespace would be one that doesn't own the network; the others are shared with
        // the units that join, which have a /tmp of their own.
        !["AmbientCapabilities", "CapabilityBoundingSet", "PrivateUsers", "PrivateTmp"].includes(
          name,
        ),
    ),
    ["PrivateTmp", "no"],
    ["AmbientCapabilities", "CAP_NET_ADMIN"],
    ["CapabilityBoundingSet", "CAP_NET_ADMIN"],
    ["ProtectHome", "yes"],
    ...SMALL_CALLS,
    ["RestrictAddressFamilies", "AF_NETLINK AF_UNIX"],
    ["IPAddressDeny", "any"],
    ["SocketBindDeny", "any"],
    ["DevicePolicy", "closed"],
    ["MemoryMax", "64M"],
    ["TasksMax", "8"],
    ...journalFields(bot, "network"),
  ];
  return unit(name, [
    [
      "Unit",
      [
        ["Description", plainText(`Seawall: network of ${bot}`)],
        ["PartOf", TARGET_UNIT],
      ],
    ],
    ["Service", knownDirectives(service, version)],
  ]);
}

/** The broker connects to a Unix socket; in the bot's network somebody connects on to the gateway. */
function doorUnits(
  bot: string,
  { programs: { socketProxy }, paths, version, prefix }: SystemdSystem,
): TargetFile[] {
  const units = botUnits(bot, prefix);
  const joined: Directives = [
    ["PartOf", TARGET_UNIT],
    ["JoinsNamespaceOf", units.network],
    ["BindsTo", units.network],
    ["After", units.network],
  ];
  const service: Directives = [
    ["Type", "exec"],
    ["ExecStart", `${plainWord(socketProxy)} --connections-max=512 127.0.0.1:${GATEWAY_PORT}`],
    ["DynamicUser", "yes"],
    ["Slice", SLICE_UNIT],
    ["PrivateNetwork", "yes"],
    ...HARDENING,
    ["ProtectHome", "yes"],
    ...SMALL_CALLS,
    ["RestrictAddressFamilies", "AF_INET AF_UNIX"],
    ["SocketBindDeny", "any"],
    ["IPAddressDeny", "any"],
    ["IPAddressAllow", "localhost"],
    ["DevicePolicy", "closed"],
    ["MemoryMax", "128M"],
    ["TasksMax", "16"],
    ...journalFields(bot, "door"),
  ];
  return [
    unit(units.doorSocket, [
      [
        "Unit",
        [
          ["Description", plainText(`Seawall: door to ${bot}`)],
          ["PartOf", TARGET_UNIT],
        ],
      ],
      [
        "Socket",
        [
          ["Service", units.door],
          ["ListenStream", `${paths.runtime}/${bot}/door/gateway`],
          ["SocketUser", brokerUser(bot)],
          ["SocketMode", "0600"],
          ["DirectoryMode", "0711"],
          ["TriggerLimitIntervalSec", "0"],
          ["Slice", SLICE_UNIT],
        ],
      ],
    ]),
    unit(units.door, [
      ["Unit", [["Description", plainText(`Seawall: door to ${bot}`)], ...joined]],
      ["Service", knownDirectives(service, version)],
    ]),
  ];
}
