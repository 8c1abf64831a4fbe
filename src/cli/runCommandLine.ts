import { readFileSync } from "node:fs";
import { statePaths } from "../paths/index.ts";
import { commands } from "./commands/index.ts";
import { commandHelp, overview } from "./help.ts";
import { makeOutput } from "./Output.ts";
import { parseCall } from "./parseCall.ts";
import { reportError } from "./reportError.ts";
import { requireHere } from "./requireHere.ts";
import { UsageError } from "./UsageError.ts";

/** Runs one command and gives the exit code; see `ExitCode` for what they mean. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (error) {
    return reportError(error, args);
  }
}

/** Of this Seawall, as its package says. */
function ownVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version;
}

async function dispatch([verb, ...rest]: readonly string[]): Promise<number> {
  if (verb === undefined || verb === "--help" || verb === "-h" || verb === "help") {
    const all = await Promise.all(Object.values(commands).map((load) => load()));
    makeOutput(false).line(overview(all));
    return verb === undefined ? 2 : 0;
  }
  if (verb === "--version" || verb === "-V" || verb === "version") {
    makeOutput(false).line(`seawall ${ownVersion()}`);
    return 0;
  }
  const load = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
  if (load === undefined) {
    const { closest } = await import("../declaration/index.ts");
    const guess = closest(verb, Object.keys(commands));
    throw new UsageError(
      `there is no command "${verb.slice(0, 40)}"`,
      guess === undefined ? "type: seawall --help" : `did you mean "${guess}"?`,
    );
  }
  await requireHere(verb);
  const command = await load();
  if (command.raw !== undefined) return command.raw(rest);
  const { words, values } = parseCall(command, rest);
  const json = values["json"] === true;
  const output = makeOutput(json);
  if (values["help"] === true) {
    output.line(commandHelp(command));
    return 0;
  }
  return command.run({
    words,
    flag: (name) => values[name] === true,
    value: (name) => {
      const value = values[name];
      return typeof value === "string" ? value : undefined;
    },
    values: (name) => {
      const value: unknown = values[name];
      return Array.isArray(value) ? (value as readonly string[]) : [];
    },
    json,
    output,
    paths: statePaths(process.env, process.getuid?.() ?? -1),
  });
}
