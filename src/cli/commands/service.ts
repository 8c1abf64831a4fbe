import {
  catalogue,
  type CredentialPlace,
  type EntryRule,
  type ServiceEntry,
} from "../../catalogue/index.ts";
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
    `  credential  ${entry.credential.map(formatPlace).join(", or ")}`,
    `  the bot has ${entry.variable ?? "no variable"} = a phantom like ${entry.phantom}`,
    "  allows",
    ...entry.allow.map((rule) => `    ${formatEntryRule(rule)}`),
    ...(entry.deny === undefined ? [] : ["  never allows"]),
    ...(entry.deny ?? []).map((rule) => `    ${formatEntryRule(rule)}`),
    ...(entry.anonymous === undefined ? [] : ["  also without credential"]),
    ...(entry.anonymous ?? []).map((rule) => `    ${formatEntryRule(rule)}`),
  ];
}

function formatPlace(place: CredentialPlace): string {
  const { header, prefix = "", path, where = {} } = place;
  if (header !== undefined) return `header ${header}: ${prefix}{secret}`;
  if (path !== undefined) return `path ${path}`;
  if (place.basic !== undefined) return `${place.basic} of Basic authentication`;
  if (place.json !== undefined) return `JSON body at ${place.json}`;
  if (place.websocket !== undefined) {
    const frame = Object.entries(where).map(([pointer, value]) => `${pointer} ${value}`);
    return `WebSocket frame with ${frame.join(", ")} at ${place.websocket}`;
  }
  const [kind = "", name = ""] = Object.entries(place).flat().map(String);
  return `${kind} ${name}`;
}

function formatEntryRule(rule: EntryRule): string {
  if (typeof rule === "string") return rule;
  return Object.entries(rule)
    .map(([key, value]) => (key === "call" ? valueText(value) : `${key} ${valueText(value)}`))
    .join(", ");
}

function valueText(value: string | Readonly<Record<string, string>> | undefined): string {
  if (typeof value === "string") return value;
  return Object.entries(value ?? {})
    .map(([name, text]) => `${name}=${text}`)
    .join("&");
}
