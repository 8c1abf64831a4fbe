import { commandOf, type ServiceEntry } from "../../../catalogue/index.ts";
import { describeService } from "./describeService.ts";

/** docs/catalogue.md: every service in plain words. Made by `seawall service page`, never by hand. */
export function cataloguePage(entries: readonly ServiceEntry[]): string {
  const rows = entries.map((entry) => {
    const command = commandOf(entry);
    return [
      `[${entry.name}](#${entry.name})`,
      entry.title,
      command === undefined ? "" : `\`${command.name}\``,
    ];
  });
  const widths = [0, 1, 2].map((column) =>
    Math.max(
      ...["service", "what it is", "command"].map((head, at) => (at === column ? head.length : 0)),
      ...rows.map((row) => row[column]?.length ?? 0),
    ),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [
    "# The catalogue",
    "",
    "What each service allows, as `seawall service show NAME` says it. This page is made by",
    "`seawall service page`; how services are used and made is in [services.md](services.md).",
    "",
    line(["service", "what it is", "command"]),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map(line),
    "",
    ...entries.flatMap((entry) => [
      `## ${entry.name}`,
      "",
      "```",
      ...describeService(entry),
      "```",
      "",
    ]),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}
