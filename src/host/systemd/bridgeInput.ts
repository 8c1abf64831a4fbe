import type { BridgeRules, BridgeServiceConfig } from "../../broker/index.ts";
import type { BotPlan, Plan } from "../../plan/index.ts";
import {
  bridgeConfigInside,
  bridgeState,
  hasBridge,
  type SystemdBridge,
  type SystemdSystem,
} from "../../targets/index.ts";
import { BROKER_FLAGS } from "../brokerWall.ts";
import { activationVariables } from "./activationVariables.ts";
import type { Programs } from "../Generation.ts";
import { libraryFolders } from "../libraries.ts";
import { ownConcessions, ownProcessSpec } from "../ownProcess.ts";
import type { CodePlace } from "./systemInput.ts";

/**
 * The process between brokers by which bots write to each other; `undefined` where none may. It reads
 * its code and who may write to whom, and writes the folder of its messages.
 *
 * @param all whose grants it knows; each of `plan`'s bots with a bridge has a socket to it
 */
export function bridgeInput(
  plan: Plan,
  all: Plan,
  { node }: Programs,
  { paths }: SystemdSystem,
  { project, cache, system }: CodePlace,
): SystemdBridge | undefined {
  const members = plan.bots.filter((bot) => hasBridge(bot));
  if (members.length === 0) return undefined;
  const config: BridgeServiceConfig = {
    version: 1,
    file: `${bridgeState(paths.state)}/bridge.jsonl`,
    bots: Object.fromEntries(
      all.bots.filter((bot) => hasBridge(bot)).map((bot) => [bot.name, rulesOf(bot)]),
    ),
  };
  const spec = ownProcessSpec({
    hostname: "bridge",
    node,
    project,
    flags: BROKER_FLAGS,
    main: `${project}/src/broker/bridge/main.ts`,
    cache,
    // Libraries alone: it looks up no name.
    readable: [
      ...(system ?? libraryFolders()).filter(
        (path) => path !== "/etc" && !path.startsWith("/run/"),
      ),
      bridgeConfigInside(paths.runtime),
    ],
    writable: bridgeState(paths.state),
    concessions: ownConcessions(members),
  });
  return {
    wall: {
      ...spec,
      service: {
        sockets: members.length,
        environment: activationVariables("SEAWALL_BRIDGE_CONFIG"),
        notifies: true,
        // It answers on what it is handed, and connects to nothing.
        unixSockets: false,
      },
    },
    config: `${JSON.stringify(config, null, 2)}\n`,
  };
}

function rulesOf({ grants }: BotPlan): BridgeRules {
  const grant = grants.find((each) => each.kind === "program" && each.service === "bridge");
  const options = grant?.kind === "program" ? grant.options : {};
  const { to, from } = options;
  return {
    to: namesIn(to),
    ...(from === undefined ? {} : { from: namesIn(from) }),
  };
}

function namesIn(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
