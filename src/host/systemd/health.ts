import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { ServiceConfig } from "../../broker/index.ts";
import type { BotPlan } from "../../plan/index.ts";
import { botUnits, bridgeUnits } from "../../targets/index.ts";
import { answersHealth } from "../answersHealth.ts";
import { HostError } from "../HostError.ts";
import { askBroker } from "./askBroker.ts";
import { showUnits, type UnitState } from "./systemctl.ts";
import type { SystemPaths } from "./systemPaths.ts";

/** OpenClaw was measured to be ready in 8 to 22 s; with five channels on a busy machine it took over three minutes. */
const HEALTHY_MS = 480_000;
const POLL_MS = 400;
/** One that ends as often as this while we wait won't come to answer. */
const MOST_RESTARTS = 4;

/**
 * Waits until a bot's broker has the configuration of the generation in force and its gateway answers
 * through the ingress, the way its users reach it.
 *
 * @throws HostError `not-healthy`
 */
export async function becomeHealthy(paths: SystemPaths, bot: BotPlan): Promise<void> {
  const { name, ingress } = bot;
  const units = botUnits(name);
  const wanted = configurationId(paths, name);
  const until = performance.now() + HEALTHY_MS;
  for (;;) {
    const states = await showUnits([units.broker, units.gateway]);
    for (const unit of [units.broker, units.gateway]) {
      const state = states.get(unit);
      if (endsAgain(state)) {
        throw unhealthy(name, `${unit} ends again and again (${state?.result ?? ""})`, unit);
      }
    }
    const running = states.get(units.broker)?.active === "active";
    const reply = running ? await askBroker(paths, name, { verb: "status" }) : undefined;
    const configured = reply?.ok === true && reply.id === wanted;
    if (
      configured &&
      states.get(units.gateway)?.active === "active" &&
      (await answersHealth(ingress.port))
    )
      return;
    if (performance.now() > until) {
      const unit = configured ? units.gateway : units.broker;
      throw unhealthy(name, `it does not answer after ${HEALTHY_MS / 1000} s`, unit);
    }
    await wait(POLL_MS);
  }
}

/**
 * Waits until the bridge between bots has its sockets and answers.
 *
 * @throws HostError `not-healthy`
 */
export async function becomeBridge(): Promise<void> {
  const { service } = bridgeUnits();
  const until = performance.now() + HEALTHY_MS;
  for (;;) {
    const state = (await showUnits([service])).get(service);
    if (state?.active === "active") return;
    if (endsAgain(state) || performance.now() > until)
      throw new HostError(
        "not-healthy",
        `the bridge between bots did not come to run (${state?.result ?? ""})`,
        { hint: `look at: journalctl -b -u ${service}` },
      );
    await wait(POLL_MS);
  }
}

/** One that isn't started yet still has the count from before it was stopped (systemd 252, src/core/service.c). */
function endsAgain(state: UnitState | undefined): boolean {
  if (state === undefined || state.active === "inactive") return false;
  return state.restarts >= MOST_RESTARTS || state.active === "failed";
}

function unhealthy(bot: string, why: string, unit: string): HostError {
  return new HostError("not-healthy", `bot "${bot}" did not become healthy: ${why}`, {
    hint: `look at: journalctl -b -u ${unit}`,
  });
}

function configurationId({ current }: SystemPaths, bot: string): string {
  const file = join(current, "private", bot, "broker.json");
  return (JSON.parse(readFileSync(file, "utf8")) as ServiceConfig).id;
}
