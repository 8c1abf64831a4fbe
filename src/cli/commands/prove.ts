import {
  currentSystemGeneration,
  hasSystemDeployment,
  loadDeclaration,
  readSystemGeneration,
  systemPaths,
  type StatePaths,
} from "../../host/index.ts";
import {
  GROUPS,
  proveBot,
  proveCommand,
  proveProfile,
  type AttackReport,
  type ProveReport,
  type Subject,
} from "../../prove/index.ts";
import type { Call, Command } from "../Command.ts";
import { UsageError } from "../UsageError.ts";

export const prove: Command = {
  name: "prove",
  usage: "[BOT]",
  summary: "attack a bot's wall from inside, as whoever takes the bot over would",
  help: [
    "Runs every attack of docs/prove.md in a copy of the bot's wall, with a broker of its own that",
    "gives out markers in place of secrets and calls local stand-ins. What runs is not touched,",
    "nothing real is called, and nothing is left behind. Exit 0 if nothing got through, 1 if",
    "something did or could not be tried. On a machine after seawall switch, root attacks the wall",
    "that systemd makes, unless a declaration is named.",
    "",
    "With --command the same attacks run behind any other tool; {} in its text stands for them:",
    "  seawall prove --command 'bwrap --ro-bind / / --unshare-all {}'",
  ].join("\n"),
  options: {
    file: {
      type: "string",
      short: "f",
      value: "FILE",
      help: "the declaration, if not the usual one",
    },
    profile: { type: "string", value: "NAME", help: "attack a profile of seawall run instead" },
    command: { type: "string", value: "TEXT", help: "attack what this builds around {}" },
    only: { type: "string", value: "NAMES", help: "only these attacks or groups, commas between" },
  },
  words: { least: 0, most: 1 },
  run: async (call) => {
    const report = await withInterrupt((signal) => attack(call, signal));
    if (call.json) call.output.json(report);
    else for (const line of reportLines(report)) call.output.line(line);
    return report.ok ? 0 : 1;
  },
};

function attack(
  { words: [bot], value, output, paths }: Call,
  signal: AbortSignal,
): Promise<ProveReport> {
  const command = value("command");
  const only = value("only")?.split(",");
  const profile = value("profile");
  const common = { onProgress: output.progress, signal, ...(only === undefined ? {} : { only }) };
  if (profile !== undefined && command === undefined && bot === undefined)
    return proveProfile({ ...common, profile, own: { state: paths.root, store: paths.store } });
  if (profile !== undefined)
    throw new UsageError("a profile has no bot and no command", "leave out all but --profile");
  if (command === undefined)
    return proveBot({ ...common, subject: subjectOf(value("file"), paths), bot, paths });
  if (bot !== undefined || value("file") !== undefined)
    throw new UsageError("a command has no bot", "leave out the bot and --file, or --command");
  return proveCommand({ ...common, command });
}

/** The services in force on this machine, for root, unless a declaration is named. */
function subjectOf(file: string | undefined, paths: StatePaths): Subject {
  if (file === undefined && process.getuid?.() === 0 && hasSystemDeployment(paths)) {
    const places = systemPaths(paths);
    const number = currentSystemGeneration(places);
    if (number !== undefined)
      return { kind: "services", generation: readSystemGeneration(places, number) };
  }
  return { kind: "declaration", loaded: loadDeclaration(file, process.env) };
}

/** A Ctrl-C ends the attacks, removes what was planted, and is then what ends this process. */
async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let got: NodeJS.Signals | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    got = signal;
    controller.abort();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.once(signal, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of signals) process.removeListener(signal, stop);
    if (got !== undefined) process.kill(process.pid, got);
  }
}

/** @returns a table by group, what got through marked, then the sum. */
export function reportLines({ attacks, seconds }: ProveReport): string[] {
  const width = Math.max(0, ...attacks.map(({ name }) => name.length)) + 2;
  const layerWidth = Math.max(0, ...attacks.map(({ layer }) => layer.length)) + 2;
  const groups = GROUPS.flatMap((group) => {
    const rows = attacks.filter((attack) => attack.group === group);
    if (rows.length === 0) return [];
    return ["", group, ...rows.map((row) => `  ${line(row, width, layerWidth)}`)];
  });
  const count = (kind: (attack: AttackReport) => boolean): number => attacks.filter(kind).length;
  const through = count(({ layer }) => layer === "none");
  const untried = count(({ layer }) => layer === "untried");
  const apply = attacks.length - count(({ layer }) => layer === "inapplicable");
  return [
    ...groups.slice(1),
    "",
    `${apply} attacks, ${through} got through${untried === 0 ? "" : `, ${untried} could not be tried`}; took ${seconds} s`,
  ];
}

function line(
  { name, held, layer, detail }: AttackReport,
  width: number,
  layerWidth: number,
): string {
  const state =
    layer === "inapplicable" ? "n/a" : held ? "held" : layer === "none" ? "THROUGH" : "UNTRIED";
  const by = held && state === "held" ? layer : "";
  return `${name.padEnd(width)}${state.padEnd(9)}${by.padEnd(layerWidth)}${detail}`;
}
