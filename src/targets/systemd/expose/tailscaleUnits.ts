import type { Plan } from "../../../plan/index.ts";
import type { TargetFile } from "../../Target.ts";
import { journalFields, unit } from "../brokerUnits.ts";
import { knownDirectives } from "../directives.ts";
import { HARDENING, SMALL_CALLS } from "../hardening.ts";
import { botUnits, SLICE_UNIT, tailscaleUnit, TARGET_UNIT } from "../names.ts";
import type { SystemdSystem } from "../SystemdInput.ts";
import { plainText, plainWord, type Directives } from "../unitFile.ts";

/**
 * For each bot of the tailnet, `tailscale serve` in the foreground (1.52 or later): tailscaled ends TLS
 * and passes visitors on for as long as the unit runs, and forgets about it with its end. The port is the
 * bot's own, which no other bot has.
 */
export function tailscaleUnits(plan: Plan, system: SystemdSystem): TargetFile[] {
  return plan.bots.flatMap(({ name, ingress, expose }) =>
    expose?.tailscale === true ? [serveUnit(name, ingress.port, system)] : [],
  );
}

/**
 * tailscaled takes this from root alone, by a Unix socket. So it is root's, but without a capability,
 * a network or a place to write.
 */
function serveUnit(
  bot: string,
  port: number,
  { paths, programs, version }: SystemdSystem,
): TargetFile {
  const service: Directives = [
    ["Type", "exec"],
    [
      "ExecStart",
      `${plainWord(programs.tailscale)} serve --yes --https=${port} http://127.0.0.1:${port}`,
    ],
    ["Slice", SLICE_UNIT],
    ["Restart", "always"],
    ["RestartSec", "5s"],
    ["TimeoutStopSec", "10s"],
    // It asks to be told of its interruption, and then takes back what it told tailscaled.
    ["KillSignal", "SIGINT"],
    ["PrivateNetwork", "yes"],
    ...HARDENING,
    ["ProtectHome", "yes"],
    ...SMALL_CALLS,
    ["RestrictAddressFamilies", "AF_UNIX"],
    ["IPAddressDeny", "any"],
    ["SocketBindDeny", "any"],
    ["DevicePolicy", "closed"],
    ["InaccessiblePaths", `-${paths.state} -/var/lib/seawall -/etc/seawall -${paths.runtime}`],
    ["MemoryMax", "256M"],
    ["TasksMax", "64"],
    ...journalFields(bot, "tailscale"),
  ];
  return unit(tailscaleUnit(bot), [
    [
      "Unit",
      [
        ["Description", plainText(`Seawall: ${bot} in the tailnet`)],
        ["PartOf", TARGET_UNIT],
        ["Wants", "tailscaled.service"],
        ["After", `tailscaled.service ${botUnits(bot).ingress}`],
        ["StartLimitIntervalSec", "0"],
      ],
    ],
    ["Service", knownDirectives(service, version)],
  ]);
}
