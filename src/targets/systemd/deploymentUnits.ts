import type { Plan } from "../../plan/index.ts";
import { targetFile, type TargetFile } from "../Target.ts";
import { hasAgents } from "./agentUnits.ts";
import { unit } from "./brokerUnits.ts";
import {
  AGENTS_TIMER,
  BRIDGE_USER,
  bridgeUnits,
  browserUnits,
  browserUser,
  gateUser,
  botUnits,
  botUser,
  brokerUser,
  SLICE_UNIT,
  tailscaleUnit,
  TARGET_UNIT,
  UPDATE_TIMER,
  WEB_UNIT,
} from "./names.ts";
import { bridgeState } from "./bridgeUnits.ts";
import { hasBridge, hasBrowser, hasCommands } from "./sockets.ts";
import { tellPlaces } from "./tellUnits.ts";
import type { SystemdSystem } from "./SystemdInput.ts";
import { plainText } from "./unitFile.ts";

/** What all bots stand under, and their users and folders. */
export function deploymentUnits(plan: Plan, system: SystemdSystem): TargetFile[] {
  const { paths } = system;
  return [
    unit(TARGET_UNIT, [
      [
        "Unit",
        [
          ["Description", "Seawall: every bot"],
          ["Wants", wantedUnits(plan).join(" ")],
          ["After", "network-online.target"],
        ],
      ],
    ]),
    unit(SLICE_UNIT, [
      ["Unit", [["Description", "Seawall: every bot"]]],
      [
        "Slice",
        [
          ["MemoryAccounting", "yes"],
          ["TasksAccounting", "yes"],
          ["CPUAccounting", "yes"],
          // The machine's own services come first when there isn't enough.
          ["CPUWeight", "80"],
          ["IOWeight", "80"],
          ["MemoryMax", "90%"],
          ["TasksMax", "50%"],
        ],
      ],
    ]),
    targetFile("sysusers.conf", sysusers(plan, paths.state)),
    targetFile("tmpfiles.conf", tmpfiles(plan, paths)),
  ];
}

/** What the target starts; the rest comes with these. */
export function wantedUnits(plan: Plan): string[] {
  const web = plan.bots.some(({ expose }) => expose?.domain !== undefined);
  return [
    ...plan.bots.flatMap((bot) => {
      const units = botUnits(bot.name);
      const { sockets, ingress, control, metrics, broker, gateway, doorSocket } = units;
      const commands = hasCommands(bot) ? [units.command] : [];
      return [sockets, ingress, control, metrics, ...commands, doorSocket, broker, gateway];
    }),
    ...wantedBridge(plan),
    ...plan.bots.flatMap((bot) => {
      const { proxy, gateSocket, browserSocket } = browserUnits(bot.name);
      return hasBrowser(bot) ? [proxy, gateSocket, browserSocket] : [];
    }),
    ...plan.bots.flatMap((bot) => tellPlaces(plan, bot, "").map(({ socket }) => socket)),
    ...(web ? [WEB_UNIT] : []),
    ...plan.bots.flatMap(({ name, expose }) =>
      expose?.tailscale === true ? [tailscaleUnit(name)] : [],
    ),
    ...(plan.autoUpdate === undefined ? [] : [UPDATE_TIMER]),
    ...(hasAgents(plan) ? [AGENTS_TIMER] : []),
  ];
}

/** The bridge's units, where there is one; `prefix` as for a bot's. */
export function wantedBridge({ bots }: Plan, prefix?: string): string[] {
  const units = bridgeUnits(prefix);
  const sockets = bots.filter((bot) => hasBridge(bot)).map(({ name }) => units.socket(name));
  return sockets.length === 0 ? [] : [...sockets, units.service];
}

/** sysusers.d(5): a user per bot, another per broker; neither can log in. */
function sysusers(plan: Plan, state: string): string {
  const user = (name: string, comment: string): string =>
    `u ${name} - "${plainText(comment)}" / /usr/sbin/nologin`;
  const lines = plan.bots.flatMap((bot) => {
    const { name } = bot;
    return [
      `u ${botUser(name)} - "${plainText(`Seawall bot ${name}`)}" ${state}/bots/${name} /usr/sbin/nologin`,
      user(brokerUser(name), `Seawall broker of ${name}`),
      ...(hasBrowser(bot)
        ? [
            user(gateUser(name), `Seawall gate before the browser of ${name}`),
            user(browserUser(name), `Seawall browser of ${name}`),
          ]
        : []),
    ];
  });
  if (plan.bots.some((bot) => hasBridge(bot)))
    lines.push(`u ${BRIDGE_USER} - "Seawall messages between bots" / /usr/sbin/nologin`);
  return `# Written by Seawall.\n${lines.join("\n")}\n`;
}

/** tmpfiles.d(5): each bot's folder is its own, each record its broker's, and nobody else's. */
function tmpfiles(plan: Plan, { state, runtime }: SystemdSystem["paths"]): string {
  const lines = [
    `d ${state} 0711 root root -`,
    `d ${state}/root 0755 root root -`,
    `d ${state}/bots 0711 root root -`,
    `d ${state}/audit 0711 root root -`,
    `d ${runtime} 0711 root root -`,
    ...(plan.bots.some((bot) => hasBridge(bot))
      ? [`d ${bridgeState(state)} 0700 ${BRIDGE_USER} ${BRIDGE_USER} -`]
      : []),
    ...plan.bots.flatMap((bot) => {
      const { name } = bot;
      return [
        `d ${state}/bots/${name} 0700 ${botUser(name)} ${botUser(name)} -`,
        `d ${state}/audit/${name} 0700 ${brokerUser(name)} ${brokerUser(name)} -`,
        `d ${runtime}/${name} 0711 root root -`,
        `d ${runtime}/${name}/door 0711 root root -`,
        `d ${runtime}/${name}/command 0711 root root -`,
        `d ${runtime}/${name}/scratch 0700 root root -`,
        ...(hasBridge(bot) ? [`d ${runtime}/${name}/bridge 0711 root root -`] : []),
        ...(tellPlaces(plan, bot, "").length > 0
          ? [`d ${runtime}/${name}/tell 0711 root root -`]
          : []),
        ...(hasBrowser(bot)
          ? [
              `d ${runtime}/${name}/gate 0711 root root -`,
              `d ${runtime}/${name}/browser 0711 root root -`,
            ]
          : []),
      ];
    }),
  ];
  return `# Written by Seawall.\n${lines.join("\n")}\n`;
}
