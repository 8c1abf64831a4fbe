import type { StatePaths } from "../../paths/index.ts";
import {
  botUnits,
  bridgeState,
  bridgeUnits,
  browserUnits,
  hasBridge,
  hasBrowser,
} from "../../targets/index.ts";
import { showUnits } from "./systemctl.ts";
import { currentSystemGeneration, readSystemGeneration } from "./SystemGeneration.ts";
import { systemPaths } from "./systemPaths.ts";

/** What a deployment under systemd has that an attacker could want; nothing where there is none. */
export interface ServiceSurroundings {
  readonly processes: readonly { readonly pid: number; readonly what: string }[];
  /** Unix sockets. */
  readonly sockets: readonly string[];
  readonly places: readonly string[];
  /** Records of calls. */
  readonly records: readonly string[];
}

/** Root's to ask, since the generations are. */
export async function serviceSurroundings(paths: StatePaths): Promise<ServiceSurroundings> {
  const places = systemPaths(paths);
  const number = process.getuid?.() === 0 ? currentSystemGeneration(places) : undefined;
  if (number === undefined) return { processes: [], sockets: [], places: [], records: [] };
  const { plan } = readSystemGeneration(places, number);
  const units = plan.bots.flatMap(({ name }) => {
    const { broker, gateway } = botUnits(name);
    return [
      { unit: broker, what: `the broker of ${name}` },
      { unit: gateway, what: `the bot ${name}` },
    ];
  });
  const bridge = plan.bots.some((bot) => hasBridge(bot));
  for (const bot of plan.bots.filter((each) => hasBrowser(each)))
    units.push({
      unit: browserUnits(bot.name).gate,
      what: `the gate before the browser of ${bot.name}`,
    });
  if (bridge) units.push({ unit: bridgeUnits().service, what: "the bridge between bots" });
  const states = await showUnits(units.map(({ unit }) => unit));
  return {
    processes: units.flatMap(({ unit, what }) => {
      const pid = states.get(unit)?.pid ?? 0;
      return pid === 0 ? [] : [{ pid, what }];
    }),
    sockets: plan.bots.flatMap((bot) =>
      [
        "control",
        "metrics",
        "door/gateway",
        "command/socket",
        ...(hasBridge(bot) ? ["bridge/socket"] : []),
        ...(hasBrowser(bot) ? ["gate/socket", "browser/socket"] : []),
      ].map((path) => `${places.runtime}/${bot.name}/${path}`),
    ),
    places: [
      places.root,
      places.generations,
      places.current,
      places.state,
      ...plan.bots.flatMap(({ name }) => [
        `${places.state}/bots/${name}`,
        ...[places.current, places.state].flatMap((folder) =>
          ["broker.json", "gateway.env", "gate.json"].map(
            (file) => `${folder}/private/${name}/${file}`,
          ),
        ),
      ]),
    ],
    records: [
      ...plan.bots.flatMap(({ name }) => [
        `${places.state}/audit/${name}`,
        `${places.state}/audit/${name}/audit.jsonl`,
      ]),
      ...(bridge ? [bridgeState(places.state), `${bridgeState(places.state)}/bridge.jsonl`] : []),
    ],
  };
}
