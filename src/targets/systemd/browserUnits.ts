import type { BotPlan } from "../../plan/index.ts";
import { compileWall, type SharedFilters } from "../../wall/index.ts";
import { targetFile, type TargetFile } from "../Target.ts";
import { TargetError } from "../TargetError.ts";
import { journalFields, unit } from "./brokerUnits.ts";
import { knownDirectives } from "./directives.ts";
import { limitDirectives, networkUnit } from "./gatewayUnits.ts";
import { HARDENING, LAUNCHER_CALLS } from "./hardening.ts";
import { protectHome, unitMounts } from "./mounts.ts";
import {
  botFolder,
  brokerUser,
  browserUnits as names,
  browserUser,
  gateUser,
  privateFolder,
  SLICE_UNIT,
  TARGET_UNIT,
  type BrowserUnits,
} from "./names.ts";
import { hasBrowser } from "./sockets.ts";
import type { SystemdBot, SystemdBrowser, SystemdSystem } from "./SystemdInput.ts";
import { plainText, plainWord, type Directives } from "./unitFile.ts";

/** What the gate is told, inside its unit. */
export function gateConfigInside(runtime: string, bot: string): string {
  return `${runtime}/${bot}/gate.json`;
}

/** Where a bot's broker asks for pages. */
export function gateSocket(runtime: string, bot: string): string {
  return `${runtime}/${bot}/gate/socket`;
}

/** Whoever connects there has a browser started at the other end. */
export function browserSocket(runtime: string, bot: string): string {
  return `${runtime}/${bot}/browser/socket`;
}

/** Clouds' services that tell what the machine is (broker/dial): here the kernel drops what goes there. */
const METADATA = "169.254.169.254 fd00:ec2::254";

/**
 * One bot's browser: a network of its own with a listener that the gate has, the gate, which alone
 * reaches the web and holds no secret, and the browser, started when the gate connects to its socket and
 * ended with the gate.
 */
export function browserUnits(
  bot: BotPlan,
  { browser }: SystemdBot,
  system: SystemdSystem,
  filters: SharedFilters,
): TargetFile[] {
  if (!hasBrowser(bot)) return [];
  if (browser === undefined)
    throw new TargetError("unprintable", `there is nothing to read pages by for bot "${bot.name}"`);
  const { name } = bot;
  const units = names(name, system.prefix);
  const folder = botFolder(name);
  const { runtime } = system.paths;
  return [
    networkUnit(units.network, name, system),
    unit(units.proxy, [
      [
        "Unit",
        [
          ["Description", plainText(`Seawall: network of the browser of ${name}`)],
          // As the listeners in a bot's network.
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
          ["Service", units.gate],
          ["FileDescriptorName", "proxy"],
          ["PrivateNetwork", "yes"],
          ["PrivateIPC", "yes"],
          ["ListenStream", `0.0.0.0:${browser.proxyPort}`],
          ["TriggerLimitIntervalSec", "0"],
          ["Slice", SLICE_UNIT],
        ],
      ],
    ]),
    pathSocket(units.gateSocket, `the gate before the browser of ${name}`, [
      ["Service", units.gate],
      ["FileDescriptorName", "call"],
      ["ListenStream", gateSocket(runtime, name)],
      ["SocketUser", brokerUser(name)],
    ]),
    pathSocket(units.browserSocket, `the browser of ${name}`, [
      ["ListenStream", browserSocket(runtime, name)],
      ["SocketUser", gateUser(name)],
      ["Accept", "yes"],
      ["MaxConnections", "1"],
    ]),
    gateUnit(name, browser, units, system),
    browserUnit(name, browser, units, system),
    targetFile(`${folder}/gate.policy`, compileWall(browser.gate, system.host, filters).policy),
    targetFile(`${folder}/browser.policy`, compileWall(browser.wall, system.host, filters).policy),
    ...unitMounts(browser.wall, `${folder}/browser`, system.paths).files,
  ];
}

function pathSocket(name: string, what: string, listens: Directives): TargetFile {
  return unit(name, [
    [
      "Unit",
      [
        ["Description", plainText(`Seawall: ${what}`)],
        ["PartOf", TARGET_UNIT],
      ],
    ],
    [
      "Socket",
      [
        ...listens,
        ["SocketMode", "0600"],
        ["DirectoryMode", "0711"],
        ["TriggerLimitIntervalSec", "0"],
        ["Slice", SLICE_UNIT],
      ],
    ],
  ]);
}

function gateUnit(
  bot: string,
  { gate }: SystemdBrowser,
  units: BrowserUnits,
  { paths, programs, version }: SystemdSystem,
): TargetFile {
  const runtime = `${paths.runtime}/${bot}`;
  const launch = `${runtime}/gate.policy`;
  const config = gateConfigInside(paths.runtime, bot);
  const folder = botFolder(bot);
  const sockets = `${units.gateSocket} ${units.proxy}`;
  const service: Directives = [
    ["Type", "notify"],
    ["NotifyAccess", "main"],
    ["ExecStart", `${plainWord(programs.launcher)} --policy ${launch}`],
    ["User", gateUser(bot)],
    ["Slice", SLICE_UNIT],
    // It ends when its browser has to, and comes with the next call; its sockets stay.
    ["Restart", "no"],
    ["WatchdogSec", "30s"],
    ["TimeoutStartSec", "60s"],
    ["TimeoutStopSec", "15s"],
    ["Environment", `SEAWALL_GATE_CONFIG=${config}`],
    ...HARDENING,
    ...protectHome(gate, [programs.launcher]),
    ...LAUNCHER_CALLS,
    ["RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX AF_NETLINK"],
    ["IPAddressDeny", METADATA],
    ["SocketBindDeny", "any"],
    ["DevicePolicy", "closed"],
    ["MemoryMax", "1G"],
    ["TasksMax", "64"],
    ["OOMPolicy", "stop"],
    ...journalFields(bot, "gate"),
    ...unitMounts(gate, `${folder}/gate`, paths).directives,
    ["BindReadOnlyPaths", plainWord(programs.launcher)],
    ["ExecPaths", `+${plainWord(programs.launcher)}`],
    ["BindReadOnlyPaths", `${paths.generation}/${folder}/gate.policy:${launch}`],
    ["BindReadOnlyPaths", `${privateFolder(paths)}/${bot}/gate.json:${config}`],
    ["BindReadOnlyPaths", `${runtime}/browser`],
  ];
  return unit(units.gate, [
    [
      "Unit",
      [
        ["Description", plainText(`Seawall: gate before the browser of ${bot}`)],
        ["PartOf", TARGET_UNIT],
        ["Requires", `${sockets} ${units.browserSocket}`],
        ["After", `network.target ${sockets} ${units.browserSocket}`],
        ["StartLimitIntervalSec", "0"],
      ],
    ],
    ["Service", [["Sockets", sockets], ...knownDirectives(service, version)]],
  ]);
}

function browserUnit(
  bot: string,
  { wall }: SystemdBrowser,
  units: BrowserUnits,
  { paths, programs, version }: SystemdSystem,
): TargetFile {
  const launch = `${paths.runtime}/browser.policy`;
  const folder = botFolder(bot);
  const service: Directives = [
    ["Type", "exec"],
    ["ExecStart", `${plainWord(programs.launcher)} --policy ${launch}`],
    ["User", browserUser(bot)],
    ["Slice", SLICE_UNIT],
    ["StandardInput", "null"],
    ["StandardOutput", "journal"],
    ["StandardError", "journal"],
    // A page may have taken it over: it isn't asked.
    ["KillSignal", "SIGKILL"],
    ["TimeoutStopSec", "5s"],
    ["PrivateNetwork", "yes"],
    ...HARDENING,
    ...protectHome(wall, [programs.launcher]),
    ...LAUNCHER_CALLS,
    // Chromium gives up capabilities that it doesn't have before it starts its own programs, and ends where it can't
    // (measured with 156); there are none to be gained.
    ["SystemCallFilter", "capset"],
    // Chromium speaks to itself by Unix sockets (measured with 156); nobody else is there to connect to.
    ["RestrictAddressFamilies", "AF_INET AF_UNIX"],
    ["IPAddressDeny", "any"],
    ["IPAddressAllow", "127.0.0.0/8"],
    ["SocketBindDeny", "any"],
    ["DevicePolicy", "closed"],
    ...limitDirectives(wall.limits),
    ["OOMPolicy", "stop"],
    ["OOMScoreAdjust", "700"],
    ["LogRateLimitIntervalSec", "30s"],
    ["LogRateLimitBurst", "200"],
    ...journalFields(bot, "browser"),
    ...unitMounts(wall, `${folder}/browser`, paths).directives,
    ["BindReadOnlyPaths", plainWord(programs.launcher)],
    ["ExecPaths", `+${plainWord(programs.launcher)}`],
    ["BindReadOnlyPaths", `${paths.generation}/${folder}/browser.policy:${launch}`],
  ];
  return unit(units.browser, [
    [
      "Unit",
      [
        ["Description", plainText(`Seawall: browser of ${bot}`)],
        ["PartOf", TARGET_UNIT],
        ["JoinsNamespaceOf", units.network],
        ["BindsTo", `${units.network} ${units.gate}`],
        ["After", `${units.network} ${units.gate}`],
        ["CollectMode", "inactive-or-failed"],
      ],
    ],
    ["Service", knownDirectives(service, version)],
  ]);
}
