import type { Plan } from "../../plan/index.ts";
import { TargetError } from "../TargetError.ts";
import type { TargetFile } from "../Target.ts";
import { journalFields, unit } from "./brokerUnits.ts";
import { knownDirectives } from "./directives.ts";
import { COMMAND_HARDENING, HARDENING, SMALL_CALLS } from "./hardening.ts";
import { protectHome, unitMounts } from "./mounts.ts";
import { FETCH_UNIT, SLICE_UNIT, TARGET_UNIT, UPDATE_TIMER, UPDATE_UNIT } from "./names.ts";
import type { SystemdSystem, SystemdUpdate } from "./SystemdInput.ts";
import { environment, plainWord, type Directives } from "./unitFile.ts";

/** Below /var/lib/private, since its user is made anew each time (systemd.exec(5), DynamicUser=). */
export const FETCH_FOLDER = "seawall-fetch";

/**
 * What moves bots to a newer OpenClaw: a timer; a service of root's that puts a generation in force as
 * `seawall switch` does and speaks to nobody but this machine; and a service without any rights that
 * alone speaks to the registry, has nothing of Seawall's but its code, and leaves what it fetched where
 * the other compares it with the pin.
 */
export function updateUnits(
  plan: Plan,
  update: SystemdUpdate | undefined,
  system: SystemdSystem,
): TargetFile[] {
  const { autoUpdate } = plan;
  if (autoUpdate === undefined) return [];
  if (update === undefined) throw new TargetError("unprintable", "there is nothing to update by");
  return [timer(autoUpdate.calendar), switchUnit(update, system), fetchUnit(update, system)];
}

function timer(calendar: string): TargetFile {
  return unit(UPDATE_TIMER, [
    [
      "Unit",
      [
        ["Description", "Seawall: when to look for a newer OpenClaw"],
        ["PartOf", TARGET_UNIT],
      ],
    ],
    [
      "Timer",
      [
        ["OnCalendar", calendar],
        // A machine that was off looks when it is on again.
        ["Persistent", "yes"],
        // Not all machines at the same minute.
        ["RandomizedDelaySec", "15min"],
        ["Unit", UPDATE_UNIT],
      ],
    ],
  ]);
}

/**
 * Root's, as a switch is: it makes users, units and namespaces. Left off of the hardening is what its own
 * look at this machine would take for the machine's: it has to print the same as `seawall switch`.
 */
function switchUnit(update: SystemdUpdate, { programs, version }: SystemdSystem): TargetFile {
  const service: Directives = [
    ["Type", "oneshot"],
    ["ExecStart", `${programs.seawall.map(plainWord).join(" ")} update`],
    ["Slice", SLICE_UNIT],
    ["TimeoutStartSec", "2h"],
    ["KillMode", "mixed"],
    ...environment(update.environment),
    ...COMMAND_HARDENING,
    // Whether bots answer is asked at 127.0.0.1; what is fetched is there already.
    ["IPAddressDeny", "any"],
    ["IPAddressAllow", "localhost"],
    ["SocketBindDeny", "any"],
    ["SocketBindAllow", "tcp"],
    ["MemoryMax", "2G"],
    ...journalFields("all", "update"),
  ];
  return unit(UPDATE_UNIT, [
    [
      "Unit",
      [
        ["Description", "Seawall: moves bots to a newer OpenClaw"],
        ["After", TARGET_UNIT],
      ],
    ],
    ["Service", knownDirectives(service, version)],
  ]);
}

function fetchUnit({ fetch }: SystemdUpdate, { paths, version }: SystemdSystem): TargetFile {
  const { directives: mounts } = unitMounts(fetch, "update", paths);
  const [program, ...words] = fetch.command;
  const service: Directives = [
    ["Type", "oneshot"],
    ["ExecStart", [program, ...words].map(plainWord).join(" ")],
    ["DynamicUser", "yes"],
    ["StateDirectory", FETCH_FOLDER],
    ["StateDirectoryMode", "0700"],
    ["WorkingDirectory", `/var/lib/${FETCH_FOLDER}`],
    ["Slice", SLICE_UNIT],
    ["TimeoutStartSec", "1h"],
    ["Nice", "10"],
    ["IOSchedulingClass", "idle"],
    ...environment(fetch.environment),
    ...HARDENING,
    ...protectHome(fetch, []),
    // V8 executes what it compiles.
    ...SMALL_CALLS.filter(([name]) => name !== "MemoryDenyWriteExecute"),
    ["RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX AF_NETLINK"],
    ["SocketBindDeny", "any"],
    ["DevicePolicy", "closed"],
    ["MemoryMax", "2G"],
    ["TasksMax", "256"],
    ["OOMScoreAdjust", "800"],
    ...journalFields("all", "fetch"),
    ...mounts,
  ];
  return unit(FETCH_UNIT, [
    [
      "Unit",
      [
        ["Description", "Seawall: fetches a newer OpenClaw"],
        ["Wants", "network-online.target"],
        ["After", "network-online.target"],
      ],
    ],
    ["Service", knownDirectives(service, version)],
  ]);
}
