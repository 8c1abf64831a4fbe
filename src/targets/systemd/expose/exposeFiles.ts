import type { Plan } from "../../../plan/index.ts";
import { targetFile, type TargetFile } from "../../Target.ts";
import { journalFields, unit } from "../brokerUnits.ts";
import { knownDirectives } from "../directives.ts";
import { HARDENING, SMALL_CALLS } from "../hardening.ts";
import { FIREWALL_UNIT, SLICE_UNIT, TARGET_UNIT, WEB_UNIT } from "../names.ts";
import type { SystemdSystem } from "../SystemdInput.ts";
import { plainWord, type Directives } from "../unitFile.ts";
import { caddyfile } from "./caddySite.ts";
import { fail2ban } from "./fail2ban.ts";
import { firewall } from "./firewall.ts";

const STORAGE = "/var/lib/seawall-web";
const LOGS = "/var/log/seawall-web";

/** What opens bots with a domain to the outside; nothing for a plan without. */
export function exposeFiles(plan: Plan, system: SystemdSystem): TargetFile[] {
  const log = `${LOGS}/access.log`;
  const sites = plan.bots.flatMap(({ name, ingress, expose }) =>
    expose?.domain === undefined
      ? []
      : [
          {
            bot: name,
            domain: expose.domain,
            ingress: ingress.port,
            issuer: "acme" as const,
            port: 443,
            log,
          },
        ],
  );
  if (sites.length === 0) return [];
  const { jail, filter } = fail2ban(log);
  return [
    targetFile("expose/Caddyfile", caddyfile(sites, STORAGE)),
    targetFile("expose/firewall.nft", firewall()),
    targetFile("expose/fail2ban/jail.conf", jail),
    targetFile("expose/fail2ban/filter.conf", filter),
    webUnit(system),
    firewallUnit(system),
  ];
}

/** Caddy with our sites alone, whatever the distribution's own Caddy does. */
function webUnit({ paths, programs, version }: SystemdSystem): TargetFile {
  const inside = "/run/seawall-web/Caddyfile";
  const service: Directives = [
    ["Type", "notify"],
    ["ExecStart", `${plainWord(programs.caddy)} run --config ${inside} --adapter caddyfile`],
    ["DynamicUser", "yes"],
    ["Slice", SLICE_UNIT],
    ["StateDirectory", "seawall-web"],
    ["LogsDirectory", "seawall-web"],
    ["Environment", `HOME=${STORAGE} XDG_DATA_HOME=${STORAGE} XDG_CONFIG_HOME=${STORAGE}`],
    ["Restart", "always"],
    ["RestartSec", "2s"],
    ["TimeoutStopSec", "10s"],
    ...HARDENING.filter(
      ([name]) => !["AmbientCapabilities", "CapabilityBoundingSet", "PrivateUsers"].includes(name),
    ),
    ["AmbientCapabilities", "CAP_NET_BIND_SERVICE"],
    ["CapabilityBoundingSet", "CAP_NET_BIND_SERVICE"],
    ["ProtectHome", "yes"],
    ...SMALL_CALLS,
    ["RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"],
    ["SocketBindDeny", "any"],
    ["SocketBindAllow", "tcp:443"],
    ["DevicePolicy", "closed"],
    // Nothing of Seawall's is there to be read.
    ["InaccessiblePaths", `-${paths.state} -/var/lib/seawall -/etc/seawall -${paths.runtime}`],
    ["BindReadOnlyPaths", `${paths.generation}/expose/Caddyfile:${inside}`],
    ["MemoryMax", "512M"],
    ["TasksMax", "128"],
    ...journalFields("all", "web"),
  ];
  return unit(WEB_UNIT, [
    [
      "Unit",
      [
        ["Description", "Seawall: HTTPS for bots with a domain"],
        ["PartOf", TARGET_UNIT],
        ["After", "network-online.target"],
        ["StartLimitIntervalSec", "0"],
      ],
    ],
    ["Service", knownDirectives(service, version)],
  ]);
}

/** There for who has read the rules; nothing starts it by itself. */
function firewallUnit({ paths, version }: SystemdSystem): TargetFile {
  const service: Directives = [
    ["Type", "oneshot"],
    ["RemainAfterExit", "yes"],
    ["ExecStart", `/usr/sbin/nft -f ${paths.generation}/expose/firewall.nft`],
    ["ExecStop", "/usr/sbin/nft delete table inet seawall"],
    ...HARDENING.filter(
      ([name]) => !["CapabilityBoundingSet", "PrivateUsers", "ProtectKernelModules"].includes(name),
    ),
    ["CapabilityBoundingSet", "CAP_NET_ADMIN"],
    ["ProtectHome", "yes"],
    ...SMALL_CALLS,
    ["RestrictAddressFamilies", "AF_NETLINK"],
    ["IPAddressDeny", "any"],
    ["SocketBindDeny", "any"],
    ["DevicePolicy", "closed"],
    ["MemoryMax", "128M"],
    ["TasksMax", "8"],
  ];
  return unit(FIREWALL_UNIT, [
    [
      "Unit",
      [
        ["Description", "Seawall: SSH and HTTPS from outside, nothing else"],
        ["Before", "network-pre.target"],
        ["Wants", "network-pre.target"],
      ],
    ],
    ["Service", knownDirectives(service, version)],
    ["Install", [["WantedBy", "multi-user.target"]]],
  ]);
}
