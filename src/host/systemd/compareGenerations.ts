import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "../../plan/index.ts";
import {
  botUnits,
  bridgeUnits,
  browserUnits,
  scratchPlace,
  SYSTEMD_PATHS,
  AGENTS_TIMER,
  UPDATE_TIMER,
  WEB_UNIT,
} from "../../targets/index.ts";
import { TOOL_POLICIES } from "../toolPolicies.ts";

/** What has to be done to one bot for another generation. */
export type BotChange = "none" | "configure" | "broker" | "gateway" | "network" | "browser";

/**
 * What going from one generation to another does to the bots that both have. A broker whose rules
 * alone changed is told them while it runs; a gateway is restarted only for what it sees itself.
 *
 * @param from folder of the one in force
 */
export function compareBot(from: string, to: string, bot: string): ReadonlySet<BotChange> {
  const units = botUnits(bot);
  const differs = (...paths: readonly string[]): boolean =>
    paths.some((path) => digest(join(from, path)) !== digest(join(to, path)));
  const unit = (name: string): string => `units/${name}`;
  const changes = new Set<BotChange>();
  const sockets = [
    units.network,
    units.sockets,
    units.ingress,
    units.control,
    units.metrics,
    units.command,
    scratchPlace(SYSTEMD_PATHS.runtime, bot).unit,
  ];
  const told = [from, to].flatMap((folder) => toldUnits(folder, bot));
  if (differs(...[...sockets, units.doorSocket, units.door, ...told].map(unit)))
    changes.add("network");
  if (differs(unit(units.broker), `bots/${bot}/broker.policy`)) changes.add("broker");
  else if (differs(`private/${bot}/broker.json`)) changes.add("configure");
  const gateway = [
    unit(units.gateway),
    `bots/${bot}/gateway.policy`,
    `bots/${bot}/files`,
    ...TOOL_POLICIES.map((name) => `bots/${bot}/${name}`),
    `private/${bot}/gateway.env`,
    `private/${bot}/passwd`,
    "private/trust.pem",
  ];
  if (differs(...gateway)) changes.add("gateway");
  const browser = [
    ...Object.values(browserUnits(bot)).map((name: string) => unit(name)),
    `bots/${bot}/gate.policy`,
    `bots/${bot}/browser.policy`,
    `bots/${bot}/browser`,
    `private/${bot}/gate.json`,
  ];
  if (differs(...browser)) changes.add("browser");
  return changes;
}

/** The sockets of a generation by which other bots' brokers tell this one's what waits. */
export function toldUnits(folder: string, bot: string): string[] {
  return readdirSync(join(folder, "units"))
    .filter((name) => name.startsWith("seawall-chat-") && name.endsWith(`.${bot}.socket`))
    .toSorted();
}

const SHARED: ReadonlySet<string> = new Set([WEB_UNIT, UPDATE_TIMER, AGENTS_TIMER]);

/**
 * Of the units that no single bot's comparison has, those that both generations have and that say
 * something else now: they are started anew.
 */
export function changedShared(from: string, to: string, wanted: readonly string[]): string[] {
  const reads: Readonly<Record<string, string>> = { [WEB_UNIT]: "expose/Caddyfile" };
  const differs = (path: string): boolean => digest(join(from, path)) !== digest(join(to, path));
  const shared = wanted.filter((unit) => SHARED.has(unit) || unit.startsWith("seawall-tailscale-"));
  const changed = shared.filter((unit) => {
    const paths = [`units/${unit}`, ...[reads[unit] ?? []].flat()];
    return existsSync(join(from, "units", unit)) && paths.some((path) => differs(path));
  });
  return [...changed, ...changedBridge(wanted, differs)];
}

/**
 * The bridge's units, all or none: a socket can't be started under a service that runs, and the service
 * lists them. Who is about to connect finds the socket again as soon as it is there.
 */
function changedBridge(
  wanted: readonly string[],
  differs: (path: string) => boolean,
): readonly string[] {
  const { service } = bridgeUnits();
  if (!wanted.includes(service)) return [];
  const units = wanted.filter((unit) => unit.startsWith("seawall-bridge"));
  const same = ![...units.map((unit) => `units/${unit}`), "bridge"].some((path) => differs(path));
  return same ? [] : units;
}

export function botNames(plan: Plan | undefined): string[] {
  return (plan?.bots ?? []).map(({ name }) => name);
}

/** Of a file, or of a folder with all that is in it; the same for what isn't there. */
function digest(path: string): string {
  const hash = createHash("sha256");
  if (!existsSync(path)) return "";
  let names: string[] | undefined;
  try {
    names = readdirSync(path).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTDIR") throw error;
  }
  if (names === undefined) hash.update(readFileSync(path));
  else for (const name of names) hash.update(`${name}\0${digest(join(path, name))}\0`);
  return hash.digest("hex");
}
