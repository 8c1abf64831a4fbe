import type { BotPlan } from "../../plan/index.ts";
import type { TargetFile } from "../Target.ts";
import { journalFields, unit } from "./brokerUnits.ts";
import { knownDirectives } from "./directives.ts";
import { HARDENING } from "./hardening.ts";
import { botUnits, installUnit, SLICE_UNIT, TARGET_UNIT } from "./names.ts";
import type { SystemdBot, SystemdSystem } from "./SystemdInput.ts";
import { environment, plainText, plainWord, type Directives } from "./unitFile.ts";

/** More than one plugin may take, with its units started and stopped (installServicePlugins). */
const MINUTES = 7;

/**
 * What installs a bot's plugins where nobody switches, once before its gateway is started: root's, since it writes
 * units, which alone reach the registry; it has no network. What installs them has the bot's wall. When it fails
 * the bot isn't started, all others are, and the boot goes on. Whoever starts it again starts the bot with it.
 */
export function installUnits(
  { name, openclaw: { plugins } }: BotPlan,
  { install }: SystemdBot,
  { paths, version, prefix }: SystemdSystem,
): TargetFile[] {
  if (install === undefined) return [];
  const { broker, gateway } = botUnits(name, prefix);
  const command = [...install.command, name].map(plainWord).join(" ");
  const service: Directives = [
    ["Type", "oneshot"],
    ["RemainAfterExit", "yes"],
    ["ExecStart", command],
    // Ended by force it leaves another broker, and this bot's comes to run as soon as this is over.
    ["ExecStopPost", `${command} clean`],
    ["TimeoutStartSec", `${MINUTES * plugins.length}min`],
    ["Slice", SLICE_UNIT],
    ["KillMode", "mixed"],
    ...environment(install.environment),
    ["PrivateNetwork", "yes"],
    ...HARDENING.filter(([key]) => !OWN.has(key)),
    // It makes folders and files of the bot's and of its broker's, and looks into them.
    ["CapabilityBoundingSet", "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER"],
    ["PrivateUsers", "no"],
    // What it makes is for units of other users.
    ["UMask", "0022"],
    ["PrivateTmp", "yes"],
    ["ProtectHome", "yes"],
    ["ReadWritePaths", `/run ${plainWord(install.writes)}`],
    ["InaccessiblePaths", [paths.vault.file, paths.vault.identity].map(optional).join(" ")],
    // V8 executes what it compiles.
    ["SystemCallFilter", "@system-service"],
    ["SystemCallFilter", "~@resources"],
    ["SystemCallErrorNumber", "EPERM"],
    ["RestrictAddressFamilies", "AF_UNIX"],
    ["IPAddressDeny", "any"],
    ["SocketBindDeny", "any"],
    ["DevicePolicy", "closed"],
    ["MemoryMax", "512M"],
    ["TasksMax", "64"],
    ...journalFields(name, "install"),
  ];
  return [
    unit(installUnit(name), [
      [
        "Unit",
        [
          ["Description", plainText(`Seawall: plugins of ${name}`)],
          ["PartOf", TARGET_UNIT],
          ["Wants", `network-online.target ${broker} ${gateway}`],
          ["After", "network-online.target systemd-tmpfiles-setup.service"],
        ],
      ],
      ["Service", knownDirectives(service, version)],
    ]),
  ];
}

function optional(path: string): string {
  return `-${plainWord(path)}`;
}

/** Which of the hardening it has otherwise. */
const OWN = new Set([
  "AmbientCapabilities",
  "CapabilityBoundingSet",
  "PrivateTmp",
  "PrivateUsers",
  "UMask",
]);

/**
 * How a bot's units wait for its plugins. The gateway isn't started without. The broker, which its sockets may start any
 * time, isn't there while another writes the bot's record; it does run when they couldn't be installed: a socket
 * whose service can't be started would try it again without end.
 */
const WAITS = { gateway: ["Requires", "After"], broker: ["PartOf", "After"] } as const;

export function afterInstall(
  role: keyof typeof WAITS,
  bot: string,
  { install }: SystemdBot,
): Directives {
  return install === undefined ? [] : WAITS[role].map((each) => [each, installUnit(bot)] as const);
}
