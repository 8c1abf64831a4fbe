import { existsSync } from "node:fs";
import type { Ask } from "../../broker/index.ts";
import {
  botUnits,
  bridgeUnits,
  browserUnits,
  hasBridge,
  hasBrowser,
  installUnit,
  TARGET_UNIT,
  UPDATE_TIMER,
  UPDATE_UNIT,
} from "../../targets/index.ts";
import type { HealthWarning } from "../status.ts";
import type { StatePaths } from "../../paths/index.ts";
import { readPending } from "./activate.ts";
import type { Plan } from "../../plan/index.ts";
import { agentsBase } from "../agentsFolder.ts";
import { agentWarnings } from "../agentWarnings.ts";
import { USUAL_LIMITS } from "../botWall.ts";
import { askBroker } from "./askBroker.ts";
import { answersHealth } from "../answersHealth.ts";
import { currentSystemGeneration, isFromNixos, readSystemGeneration } from "./SystemGeneration.ts";
import { nextElapse, showUnits, type UnitState } from "./systemctl.ts";
import { systemPaths, type SystemPaths } from "./systemPaths.ts";
import { readUpdateReport, type UpdateReport } from "./update/UpdateReport.ts";

/** What a service of ours says of itself when nothing is wrong (broker/service/Notify). */
const SOUND = "answering";

/** How a deployment under systemd is. Plain data. */
export interface SystemStatus {
  readonly generation: number;
  readonly applied: string;
  readonly active: string;
  readonly since: string;
  readonly bots: readonly SystemBotStatus[];
  /** Where the declaration has `autoUpdate`. */
  readonly updates?: UpdateStatus;
  readonly asks: readonly Ask[];
  readonly health: readonly HealthWarning[];
}

export interface UpdateStatus {
  readonly calendar: string;
  readonly from: "pins" | "registry";
  /** ISO 8601; absent when the timer isn't running. */
  readonly next?: string;
  readonly last?: UpdateReport;
}

export interface SystemBotStatus {
  readonly name: string;
  readonly openclaw: string;
  readonly port: number;
  readonly grants: readonly string[];
  /** Whether its gateway answers through the ingress. */
  readonly answers: boolean;
  readonly gateway: UnitStatus;
  readonly broker: UnitStatus;
}

export interface UnitStatus extends UnitState {
  readonly unit: string;
}

/** Whether this machine has a deployment under systemd, for anybody to ask. */
export function hasSystemDeployment(paths: StatePaths): boolean {
  return existsSync(systemPaths(paths).current);
}

/** Root's to ask, since the generations are. */
export async function systemStatus(paths: StatePaths): Promise<SystemStatus | undefined> {
  const places = systemPaths(paths);
  const number = currentSystemGeneration(places);
  if (number === undefined) return undefined;
  const { plan, created } = readSystemGeneration(places, number);
  const names = plan.bots.flatMap(({ name }) => {
    const { gateway, broker } = botUnits(name);
    return [gateway, broker, installUnit(name)];
  });
  const bridge = plan.bots.some((bot) => hasBridge(bot)) ? [bridgeUnits().service] : [];
  const readers = plan.bots.filter((bot) => hasBrowser(bot));
  const browsers = readers.flatMap(({ name }) => {
    const { proxy, gateSocket, browserSocket } = browserUnits(name);
    return [proxy, gateSocket, browserSocket];
  });
  const states = await showUnits([TARGET_UNIT, ...names, ...bridge, ...browsers]);
  const health: HealthWarning[] = [];
  const asks: Ask[] = [];
  const bots = await Promise.all(
    plan.bots.map(async (bot): Promise<SystemBotStatus> => {
      const { name, ingress, openclaw, grants } = bot;
      const units = botUnits(name);
      const broker = stateOf(units.broker, states);
      const gateway = stateOf(units.gateway, states);
      const reply =
        broker.active === "active" ? await askBroker(places, name, { verb: "status" }) : undefined;
      const answering = await answersHealth(ingress.port);
      if (reply?.ok === true) {
        asks.push(...(reply.asks ?? []));
        health.push(...(reply.health ?? []));
      }
      for (const each of [broker, gateway]) {
        if (each.active === "active") continue;
        health.push({
          key: `unit:${each.unit}`,
          warning: `${each.unit} is ${each.active} (${each.sub}${each.result === "success" ? "" : `, ${each.result}`})`,
          remedy: `look at: journalctl -b -u ${each.unit}`,
        });
      }
      if (isFromNixos(places) && openclaw.plugins.length > 0) {
        const unit = installUnit(name);
        const { active, sub } = stateOf(unit, states);
        if (active !== "active")
          health.push({
            key: `unit:${unit}`,
            warning: `${unit} is ${active} (${sub}): ${name} isn't started without its plugins`,
            remedy: `look at: journalctl -b -u ${unit}; then type: systemctl restart ${unit}`,
          });
      }
      const { memory } = { ...USUAL_LIMITS, ...bot.resources };
      if (gateway.active === "active" && gateway.memory === 0 && memory !== undefined) {
        health.push({
          key: `limits:${name}`,
          warning: `the memory of ${name} is not limited: systemd counts none on this machine`,
          remedy: "boot with systemd.unified_cgroup_hierarchy=1, and without cgroup_disable=memory",
        });
      }
      for (const concession of bot.concessions) {
        health.push({
          key: `concession:${name}:${concession}`,
          warning: `${name} runs with the concession ${concession}`,
          remedy: "remove it from the declaration when this machine can do without",
        });
      }
      if (!answering && gateway.active === "active") {
        health.push({
          key: `bot:${name}`,
          warning: `${name} does not answer`,
          remedy: `a gateway takes up to 22 s to start; then look at: journalctl -b -u ${units.gateway}`,
        });
      }
      return {
        name,
        openclaw: openclaw.version,
        port: ingress.port,
        grants: grants.map((grant) => grant.name),
        answers: answering,
        gateway,
        broker,
      };
    }),
  );
  for (const unit of bridge) {
    const { active, sub, text } = stateOf(unit, states);
    if (active === "active" && text === SOUND) continue;
    health.push({
      key: `unit:${unit}`,
      warning:
        active === "active"
          ? text
          : `${unit} is ${active} (${sub}): bots can't write to each other`,
      remedy: `look at: journalctl -b -u ${unit}`,
    });
  }
  for (const { name } of readers) {
    const { gate, ...others } = browserUnits(name);
    for (const unit of [others.gateSocket, others.proxy, others.browserSocket]) {
      if (stateOf(unit, states).active === "active") continue;
      health.push({
        key: `unit:${unit}`,
        warning: `${unit} is ${stateOf(unit, states).active}: ${name} can't read pages`,
        remedy: `look at: journalctl -b -u ${unit} -u ${gate}`,
      });
    }
  }
  health.push(...agentWarnings(agentsBase(paths), plan));
  const updates = await updateStatus(places, plan, health);
  const cut = readPending(places);
  if (cut !== undefined) {
    health.push({
      key: "pending",
      warning: `a switch to generation ${cut.to} is at work, or was cut off`,
      remedy: "if none is at work, type: seawall switch",
    });
  }
  const target = states.get(TARGET_UNIT);
  return {
    generation: number,
    applied: created,
    active: target?.active ?? "unknown",
    since: target?.since ?? created,
    bots,
    ...(updates === undefined ? {} : { updates }),
    asks,
    health,
  };
}

/** How updates are, and what a person has to know of them. */
async function updateStatus(
  places: SystemPaths,
  { autoUpdate }: Plan,
  health: HealthWarning[],
): Promise<UpdateStatus | undefined> {
  if (autoUpdate === undefined) return undefined;
  const last = readUpdateReport(places);
  const states = await showUnits([UPDATE_TIMER, UPDATE_UNIT]);
  const [timer, unit] = [states.get(UPDATE_TIMER), states.get(UPDATE_UNIT)];
  const atWork = unit?.active === "activating";
  if (timer?.active !== "active") {
    health.push({
      key: "update:timer",
      warning: "no update will be looked for: the timer isn't running",
      remedy: `type: systemctl start ${UPDATE_TIMER}`,
    });
  }
  if (last?.outcome === "failed") {
    const version = last.to === undefined ? "" : ` to OpenClaw ${last.to}`;
    health.push({
      key: "update",
      warning: `the last update${version} failed, and what ran before runs: ${last.why ?? ""}`,
      remedy: last.remedy ?? "look at: journalctl -u seawall-update",
    });
  } else if (!atWork && (last?.outcome === "begun" || unit?.active === "failed")) {
    health.push({
      key: "update",
      warning: "the last update was cut off",
      remedy: "look at the declaration's versions of OpenClaw, then type: seawall switch",
    });
  }
  const { calendar, from } = autoUpdate;
  const next = timer?.active === "active" ? await nextElapse(UPDATE_TIMER) : undefined;
  return {
    calendar,
    from,
    ...(next === undefined ? {} : { next }),
    ...(last === undefined ? {} : { last }),
  };
}

function stateOf(unit: string, states: ReadonlyMap<string, UnitState>): UnitStatus {
  const state = states.get(unit) ?? {
    active: "unknown",
    sub: "",
    pid: 0,
    restarts: 0,
    memory: 0,
    since: new Date(0).toISOString(),
    result: "",
    text: "",
  };
  return { unit, ...state };
}
