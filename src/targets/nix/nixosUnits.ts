import { createHash } from "node:crypto";
import { usedSecrets, type BotPlan, type Plan } from "../../plan/index.ts";
import { BRIDGE_FOLDER } from "../systemd/bridgeUnits.ts";
import {
  AGENTS_UNIT,
  botFolder,
  botUnits,
  bridgeUnits,
  browserUnits,
  FIREWALL_UNIT,
  installUnit,
} from "../systemd/names.ts";
import { hasBrowser } from "../systemd/sockets.ts";
import { targetFile, type TargetFile } from "../Target.ts";

/** What NixOS has of its own: users, a firewall. */
const NOT_ON_NIXOS = new Set([
  "sysusers.conf",
  `units/${FIREWALL_UNIT}`,
  "expose/firewall.nft",
  "expose/fail2ban/jail.conf",
]);

/**
 * The units of the systemd target as NixOS takes them. Its switch looks at a unit's text alone to know
 * whether it has to be restarted, so what else a unit depends on stands in it by its hash; and it never
 * restarts a socket (switch-to-configuration-ng, `handle_modified_unit`), so a bot's sockets go with
 * its network, which is restarted when one of them is another.
 */
export function nixosUnits(files: readonly TargetFile[], plan: Plan): TargetFile[] {
  const changes = new Map([
    ...plan.bots.flatMap((bot) => unitChanges(files, plan, bot)),
    ...bridgeChanges(files, plan),
    ...plan.bots.filter(hasBrowser).flatMap((bot) => browserChanges(files, bot)),
    // One that is at work goes on; the next is the new one.
    [`units/${AGENTS_UNIT}`, { Service: ["X-RestartIfChanged=false"] }] as const,
  ]);
  return files
    .filter(({ path }) => !NOT_ON_NIXOS.has(path))
    .map((file) => {
      const lines = changes.get(file.path);
      return lines === undefined ? file : withLines(file, lines);
    });
}

/** Further lines by path and section. */
type Lines = Readonly<Record<string, readonly string[]>>;

function unitChanges(
  files: readonly TargetFile[],
  plan: Plan,
  bot: BotPlan,
): (readonly [path: string, lines: Lines])[] {
  const units = botUnits(bot.name);
  const folder = `${botFolder(bot.name)}/`;
  const policy = `${folder}broker.policy`;
  const own = files.filter(({ path }) => path.startsWith(folder) && !isBrowsers(path, bot));
  const bytesOf = (wanted: (path: string) => boolean): Uint8Array[] =>
    own.filter(({ path }) => wanted(path)).map(({ bytes }) => bytes);
  const sockets = [units.ingress, units.control, units.metrics, units.command];
  const listens = files.filter(({ path }) =>
    [units.sockets, ...sockets].some((unit) => path === `units/${unit}`),
  );
  return [
    [`units/${units.gateway}`, restartedBy(bytesOf((path) => path !== policy))],
    [
      `units/${units.broker}`,
      restartedBy([brokerDepends(plan, bot), ...bytesOf((path) => path === policy)]),
    ],
    [`units/${units.network}`, restartedBy(listens.map(({ bytes }) => bytes))],
    [`units/${installUnit(bot.name)}`, restartedBy([JSON.stringify(bot.openclaw)])],
    ...sockets.map((unit) => [`units/${unit}`, { Unit: [`PartOf=${units.network}`] }] as const),
  ];
}

/**
 * The bridge is told its sockets when it starts, so it is stopped and started with all of them: that is what
 * NixOS does with a service whose unit names its sockets, unless told to restart it (`Sockets=`, same place). A
 * socket that is new couldn't be made beside one that runs (systemd.socket(5)).
 */
function bridgeChanges(
  files: readonly TargetFile[],
  { bots }: Plan,
): (readonly [path: string, lines: Lines])[] {
  const { service, socket } = bridgeUnits();
  const sockets = new Set(bots.map(({ name }) => `units/${socket(name)}`));
  const depends = files.filter(
    ({ path }) => sockets.has(path) || path.startsWith(`${BRIDGE_FOLDER}/`),
  );
  const { Unit = [] } = restartedBy(depends.map(({ bytes }) => bytes));
  return [[`units/${service}`, { Unit }]];
}

/** Of the files of a bot: whether it is its browser's or the gate's before it. */
function isBrowsers(path: string, { name }: BotPlan): boolean {
  const folder = `${botFolder(name)}/`;
  return path.startsWith(folder) && /^(?:gate\.|browser[./])/.test(path.slice(folder.length));
}

/**
 * A gate that runs is stopped with its sockets, as the bridge is, and comes again with the next page; its browser
 * ends with it, and is never started but by it.
 */
function browserChanges(
  files: readonly TargetFile[],
  bot: BotPlan,
): (readonly [path: string, lines: Lines])[] {
  const units = browserUnits(bot.name);
  const { network, gate, browser, gateSocket, browserSocket } = units;
  const bytesOf = (wanted: (path: string) => boolean): Uint8Array[] =>
    files.filter(({ path }) => wanted(path)).map(({ bytes }) => bytes);
  const sockets = [units.proxy, gateSocket, browserSocket];
  const listens = bytesOf((path) => sockets.some((unit) => path === `units/${unit}`));
  const around = bytesOf(
    (path) => path === `units/${network}` || path === `units/${browser}` || isBrowsers(path, bot),
  );
  const { Unit = [] } = restartedBy([gateDepends(bot), ...listens, ...around]);
  return [
    [`units/${gate}`, { Unit }],
    [`units/${browser}`, { Service: ["X-RestartIfChanged=false"] }],
    [`units/${network}`, restartedBy(listens)],
    ...[gateSocket, browserSocket].map(
      (unit) => [`units/${unit}`, { Unit: [`PartOf=${network}`] }] as const,
    ),
  ];
}

/** What a gate's private configuration is made of. */
function gateDepends({ grants }: BotPlan): string {
  return JSON.stringify(grants.filter(({ kind }) => kind === "program"));
}

/** Restarted at once and not stopped for a while, so that sockets stay open meanwhile. */
function restartedBy(parts: readonly (string | Uint8Array)[]): Lines {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(createHash("sha256").update(part).digest());
  return {
    Unit: [`X-Restart-Triggers=${hash.digest("hex").slice(0, 32)}`],
    Service: ["X-StopIfChanged=false"],
  };
}

/** What a broker's private configuration is made of. */
function brokerDepends(plan: Plan, bot: BotPlan): string {
  const { audit, telemetry, approvals } = plan;
  return JSON.stringify([bot, usedSecrets(plan, bot), audit, telemetry, approvals]);
}

function withLines({ path, mode, bytes }: TargetFile, lines: Lines): TargetFile {
  const text = Object.entries(lines).reduce(
    (before, [section, added]) =>
      before.replace(`[${section}]\n`, (head) => `${head}${added.join("\n")}\n`),
    Buffer.from(bytes).toString(),
  );
  return targetFile(path, text, mode);
}
