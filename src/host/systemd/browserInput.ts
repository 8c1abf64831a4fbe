import type { BotPlan } from "../../plan/index.ts";
import { BROWSER_LIMITS, browserWall, PROXY_PORT } from "../../services/index.ts";
import {
  gateConfigInside,
  hasBrowser,
  type SystemdBrowser,
  type SystemdSystem,
} from "../../targets/index.ts";
import { gateSpec } from "../browserSetup.ts";
import type { Programs } from "../Generation.ts";
import { activationVariables } from "./activationVariables.ts";
import { HostError } from "../HostError.ts";
import { libraryFolders } from "../libraries.ts";
import { resolverFiles } from "../ownProcess.ts";
import type { CodePlace } from "./systemInput.ts";

/** Descriptor of the first socket that systemd hands over (sd_listen_fds(3)). */
const FIRST = 3;

/** One bot's browser and the gate before it; `undefined` where it has none. */
export function browserInput(
  bot: BotPlan,
  { node, browser }: Programs,
  { paths }: SystemdSystem,
  { project, cache, system, browser: known }: CodePlace,
): SystemdBrowser | undefined {
  if (!hasBrowser(bot)) return undefined;
  if (browser === undefined)
    throw new HostError("damaged-state", "this generation's browser is not there any more", {
      hint: "apply the declaration anew with: seawall switch",
    });
  const gate = gateSpec({
    node,
    project,
    main: "serviceMain.ts",
    cache,
    readable: [
      ...(system ?? [...libraryFolders(), ...resolverFiles()]),
      gateConfigInside(paths.runtime, bot.name),
    ],
    bots: [bot],
  });
  const wall = browserWall({
    node,
    ...browser,
    limits: BROWSER_LIMITS,
    ...(known === undefined ? {} : { system: known }),
    orders: FIRST,
  });
  return {
    gate: {
      ...gate,
      service: {
        sockets: 2,
        environment: activationVariables("SEAWALL_GATE_CONFIG"),
        notifies: true,
        // Its unit shows it one only: that of its browser.
        unixSockets: true,
      },
    },
    wall: {
      ...wall,
      concessions: bot.concessions,
      service: { sockets: 1, environment: [], notifies: false, unixSockets: false },
    },
    proxyPort: PROXY_PORT,
  };
}
