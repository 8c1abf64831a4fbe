import {
  askSupervisor,
  hasSystemDeployment,
  systemStatus,
  type BotStatus,
  type ProcessStatus,
  type SupervisorStatus,
  type SystemStatus,
  type UnitStatus,
  type UpdateStatus,
} from "../../host/index.ts";
import type { Command } from "../Command.ts";

export const status: Command = {
  name: "status",
  usage: "",
  summary: "what runs, how it is, and how far the wall is enforced",
  help: "Exit 0 when the broker and every bot answer, 1 when something does not or nothing runs.",
  options: {},
  words: { least: 0, most: 0 },
  run: async ({ paths, output, json }) => {
    if (process.getuid?.() === 0 && hasSystemDeployment(paths)) {
      const system = await systemStatus(paths);
      if (system !== undefined) {
        if (json) output.json(system);
        else for (const line of systemLines(system, Date.now())) output.line(line);
        const well = system.bots.every(
          ({ answers, broker }) => answers && broker.active === "active",
        );
        return well ? 0 : 1;
      }
    }
    const reply = await askSupervisor(paths, { verb: "status" });
    if (reply.kind !== "status") return 1;
    if (json) output.json(reply.status);
    else for (const line of statusLines(reply.status, Date.now())) output.line(line);
    return [reply.status.broker, ...reply.status.bots].every(({ state }) => state === "ready")
      ? 0
      : 1;
  },
};

/** @param now milliseconds since the epoch, for how long things have been as they are. */
export function statusLines(status: SupervisorStatus, now: number): string[] {
  return [
    `generation ${status.generation}, supervisor pid ${status.pid}, up ${age(status.since, now)}`,
    "",
    `broker  ${processLine(status.broker, now)}`,
    ...status.bots.flatMap((bot) => botLines(bot, now)),
    ...(status.asks === 0
      ? []
      : ["", `${status.asks} waiting for your word; see: seawall approve`]),
    ...status.health.map(
      ({ warning, remedy }) =>
        `\nwarning: ${warning}${remedy === undefined ? "" : `\n  ${remedy}`}`,
    ),
  ];
}

/** The same for a deployment under systemd. */
export function systemLines(status: SystemStatus, now: number): string[] {
  return [
    `${generationText(status)}; seawall.target ${status.active} for ${age(status.since, now)}`,
    ...status.bots.flatMap((bot) => [
      "",
      `${bot.name}  ${bot.answers ? "answers" : "DOES NOT ANSWER"}`,
      `  OpenClaw ${bot.openclaw} on http://127.0.0.1:${bot.port}`,
      `  reaches: ${bot.grants.join(", ") || "nothing"}`,
      ...[bot.gateway, bot.broker].map((unit) => `  ${unitLine(unit, now)}`),
    ]),
    ...(status.updates === undefined ? [] : ["", updateLine(status.updates)]),
    ...(status.asks.length === 0
      ? []
      : ["", `${status.asks.length} waiting for your word; see: seawall approve`]),
    ...status.health.map(
      ({ warning, remedy }) =>
        `\nwarning: ${warning}${remedy === undefined ? "" : `\n  ${remedy}`}`,
    ),
  ];
}

/** On NixOS the system has generations, and ours has no number. */
function generationText({ generation, applied }: SystemStatus): string {
  return generation === 0
    ? "what the NixOS configuration says"
    : `generation ${generation}, applied ${applied}`;
}

function updateLine({ calendar, from, next, last }: UpdateStatus): string {
  const source = from === "pins" ? "versions pinned here" : "the registry's versions";
  const when = next === undefined ? "" : `, next ${next}`;
  const parts = [`updates to ${source}, ${calendar}${when}`];
  if (last?.outcome === "none") parts.push(`nothing newer on ${last.at}`);
  if (last?.outcome === "updated") parts.push(`moved to OpenClaw ${last.to ?? ""} on ${last.at}`);
  if (last?.outcome === "failed") parts.push(`failed on ${last.at}`);
  if (last?.outcome === "begun") parts.push(`begun on ${last.at}`);
  return parts.join("; ");
}

function unitLine(unit: UnitStatus, now: number): string {
  const parts = [`${unit.unit}: ${unit.active} (${unit.sub}) for ${age(unit.since, now)}`];
  if (unit.pid > 0) parts.push(`pid ${unit.pid}`);
  if (unit.memory > 0) parts.push(`${Math.round(unit.memory / 1e6)} MB`);
  if (unit.restarts > 0) parts.push(`restarted ${unit.restarts}×`);
  if (unit.text !== "" && unit.text !== "answering") parts.push(unit.text);
  return parts.join(", ");
}

function botLines(bot: BotStatus, now: number): string[] {
  const weak = bot.wall.filter(({ state }) => state !== "enforced");
  return [
    "",
    `${bot.name}  ${processLine(bot, now)}`,
    `  OpenClaw ${bot.openclaw} on http://127.0.0.1:${bot.port}`,
    `  reaches: ${bot.grants.join(", ") || "nothing"}`,
    weak.length === 0
      ? `  wall: enforced (${bot.wall.map(({ mechanism }) => mechanism).join(", ")})`
      : `  wall: WEAKER than planned`,
    ...weak.flatMap(({ mechanism, state, detail, remedy }) => [
      `    ${mechanism}: ${state}, ${detail}`,
      ...(remedy === undefined ? [] : [`      better: ${remedy}`]),
    ]),
  ];
}

function processLine(status: ProcessStatus, now: number): string {
  const parts: string[] = [`${status.state} for ${age(status.since, now)}`];
  if (status.pid !== undefined) parts.push(`pid ${status.pid}`);
  if (status.restarts > 0) parts.push(`restarted ${status.restarts}×`);
  if (status.lastEnd !== undefined) parts.push(`ended last with ${status.lastEnd}`);
  return parts.join(", ");
}

function age(since: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.round(seconds / 3600)} h`
    : `${Math.round(seconds / 86_400)} days`;
}
