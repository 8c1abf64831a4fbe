import { updateSystem, type UpdateReport } from "../../host/index.ts";
import type { Command } from "../Command.ts";

export const update: Command = {
  name: "update",
  usage: "",
  summary: "move bots to a newer OpenClaw now, as autoUpdate does, under systemd",
  help: [
    "Has seawall-fetch.service look for a newer version, compares what it fetched with the pin, writes",
    "the version into the declaration and switches to it. If a bot doesn't become healthy, declaration",
    "and generation are the ones from before. seawall status says how the last one went. As root.",
  ].join("\n"),
  options: {
    again: { type: "boolean", help: "also a version that failed before" },
  },
  words: { least: 0, most: 0 },
  run: async ({ flag, output, paths, json }) => {
    const report = await updateSystem(paths, {
      onProgress: output.progress,
      again: flag("again"),
    });
    if (json) output.json(report);
    else output.line(reportLine(report));
    return 0;
  },
};

function reportLine({ outcome, to = "", generation, why = "" }: UpdateReport): string {
  switch (outcome) {
    case "updated":
      return `moved to OpenClaw ${to}; generation ${generation ?? ""} is in force`;
    case "failed":
      return `OpenClaw ${to} failed before (${why}) and was not tried again`;
    case "none":
    case "begun":
      return "nothing is newer";
    default:
      return outcome satisfies never;
  }
}
