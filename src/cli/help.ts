import type { Command } from "./Command.ts";

const COLUMNS = 99;

/** The list of commands, for `seawall --help`. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  return [
    "Seawall runs OpenClaw bots that hold none of their owner's keys.",
    "",
    "usage: seawall COMMAND [--json] …",
    "",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    "",
    "seawall COMMAND --help says more, and seawall --version which one this is.",
    "Exit codes: 0 done, 1 not so, 2 usage, 3 declaration invalid, 4 this host can't enforce it,",
    "5 failure outside of Seawall, 70 a bug.",
  ].join("\n");
}

/** What `seawall COMMAND --help` prints. */
export function commandHelp(command: Command): string {
  const options = Object.entries(command.options).map(([name, option]) => {
    const short = option.short === undefined ? "" : `-${option.short}, `;
    const value = option.type === "string" ? ` ${option.value ?? "VALUE"}` : "";
    return [`${short}--${name}${value}`, option.help] as const;
  });
  const rows = [...options, ["--json", "print the result as one JSON object"] as const];
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [
    wrap(`usage: seawall ${command.name} ${command.usage}`.trimEnd(), "  "),
    "",
    command.help,
    "",
    ...rows.map(([left, right]) => wrap(`  ${left.padEnd(width)}${right}`, " ".repeat(width + 2))),
  ].join("\n");
}

/** Breaks a line at blanks where it would be longer than `COLUMNS`; what follows is indented. */
function wrap(line: string, indent: string): string {
  if (line.length <= COLUMNS) return line;
  const at = line.lastIndexOf(" ", COLUMNS);
  if (at <= indent.length) return line;
  return `${line.slice(0, at)}\n${wrap(indent + line.slice(at + 1), indent)}`;
}
