import { catalogue, type CredentialPlace, type ServiceEntry } from "../../catalogue/index.ts";
import type { Command } from "../Command.ts";
import { UsageError } from "../UsageError.ts";

export const service: Command = {
  name: "service",
  usage: "list | show NAME",
  summary: "the services that bots can be granted",
  help: [
    "list        every service of the catalogue",
    "show NAME   what a grant of it allows, and where its credential goes",
    "",
    'A service that is not there is declared under "services", see docs/declaration.md.',
  ].join("\n"),
  options: {},
  words: { least: 1, most: 2 },
  run: async ({ words: [verb, name], output, json }) => {
    if (verb === "list" && name === undefined) {
      const entries = [...catalogue.values()];
      if (json)
        output.json({
          services: entries.map((entry) => ({ name: entry.name, title: entry.title })),
        });
      else for (const entry of entries) output.line(`${entry.name.padEnd(16)}${entry.title}`);
      return 0;
    }
    if (verb !== "show" || name === undefined) {
      throw new UsageError(
        `usage: seawall service ${service.usage}`,
        "type: seawall service --help",
      );
    }
    const entry = catalogue.get(name);
    if (entry === undefined) {
      throw new UsageError(
        `there is no service "${name.slice(0, 40)}"`,
        "type: seawall service list",
      );
    }
    if (json) output.json(entry);
    else for (const line of entryLines(entry)) output.line(line);
    return 0;
  },
};

function entryLines(entry: ServiceEntry): string[] {
  return [
    `${entry.name}: ${entry.title}`,
    `  at          ${entry.hosts.join(", ")}`,
    `  credential  ${entry.credential.map(place).join(", or ")}`,
    `  the bot has ${entry.variable ?? "no variable"} = a phantom like ${entry.phantom}`,
    "  allows",
    ...entry.allow.map((rule) => `    ${rule}`),
    ...(entry.anonymous === undefined ? [] : ["  also without credential"]),
    ...(entry.anonymous ?? []).map((rule) => `    ${rule}`),
  ];
}

function place({ header, prefix, path }: CredentialPlace): string {
  return header === undefined ? `path ${path ?? ""}` : `header ${header}: ${prefix ?? ""}{secret}`;
}
