import {
  commandOf,
  type CredentialPlace,
  type EntryRule,
  type ServiceEntry,
} from "../../../catalogue/index.ts";

/** What methods mean to people; HTTP's own words follow for the others. */
const WORDS: Readonly<Record<string, string>> = {
  GET: "read",
  HEAD: "read",
  POST: "send to",
  PUT: "write",
  PATCH: "change",
  DELETE: "delete",
  PROPFIND: "list",
  REPORT: "search",
  OPTIONS: "ask about",
  "*": "anything at",
};

/** A service in plain words: where it is, where its key goes, what a grant of it allows. */
export function describeService(entry: ServiceEntry): string[] {
  return [
    `${entry.title} ("${entry.name}")`,
    "",
    `Where: ${whereText(entry)}.`,
    `Key: ${keyText(entry)}.`,
    ...(entry.variable === undefined || entry.program !== undefined
      ? []
      : [`The bot has: a worthless token in ${entry.variable}, like ${entry.phantom}.`]),
    ...ruleLines("A grant allows, unless it says otherwise:", entry.allow),
    ...ruleLines("Never, whatever a grant says:", entry.deny ?? []),
    ...ruleLines("Also without the key:", entry.anonymous ?? []),
    ...commandLines(entry),
    ...headerLines(entry),
    ...(entry.channelNeeds === undefined
      ? []
      : [
          "",
          `People talk to a bot by it where "${entry.channelNeeds}" is granted, too: each of its two tokens is a grant.`,
        ]),
    "",
    `Grant it with: ${grantText(entry)}`,
  ];
}

function whereText({ hosts, ownHost, login, program }: ServiceEntry): string {
  if (program !== undefined) return "nowhere on a network; the broker does it itself";
  if (login !== undefined) return "where the grant's server says";
  if (hosts.length === 0) return "where the grant's url says";
  return `${hosts.join(", ")}${ownHost === true ? ", or where the grant's url says" : ""}`;
}

function keyText({ credential, keyless, program, login }: ServiceEntry): string {
  if (program !== undefined || keyless === true) return "none";
  if (login !== undefined) return "the password of its login; the name is the bot's to say";
  return `in ${credential.map(formatPlace).join(", or ")}`;
}

/** Where a credential stands, as `the header x-api-key`. */
export function formatPlace(place: CredentialPlace): string {
  const { header, prefix, path, where = {} } = place;
  if (header !== undefined)
    return `the header ${header}${prefix === undefined ? "" : ` after "${prefix.trim()}"`}`;
  if (path !== undefined) return `the path, as ${path}`;
  if (place.basic !== undefined) return `the ${place.basic} of Basic authentication`;
  if (place.sigv4 !== undefined) return "a signature, as AWS wants it";
  if (place.json !== undefined) return `the JSON body at ${place.json}`;
  if (place.websocket !== undefined) {
    const frame = Object.entries(where).map(([pointer, value]) => `${pointer} ${value}`);
    return `the WebSocket frame with ${frame.join(", ")}, at ${place.websocket}`;
  }
  const [kind = "", name = ""] = Object.entries(place).flat().map(String);
  return `the ${kind} field ${name}`;
}

function ruleLines(title: string, rules: readonly EntryRule[]): string[] {
  return rules.length === 0
    ? []
    : ["", title, ...rules.map((rule) => `  ${formatEntryRule(rule)}`)];
}

/** A rule in words: `read /api/v3/series/*`. */
export function formatEntryRule(rule: EntryRule): string {
  if (typeof rule === "string") {
    const [method = "", path = ""] = rule.split(" ");
    return `${WORDS[method] ?? method} ${path}`;
  }
  const { call, git, s3, access = "read", ...more } = rule;
  if (git !== undefined)
    return `${access === "read" ? "fetch" : "push to"} git repositories ${git}`;
  if (s3 !== undefined) return `${access} the objects of bucket ${s3}`;
  const conditions = Object.entries(more).map(([name, value]) => `${name} ${valueText(value)}`);
  return `${call === undefined ? "" : formatEntryRule(call)}, ${conditions.join(", ")}`;
}

function valueText(value: string | Readonly<Record<string, string>> | undefined): string {
  if (typeof value === "string") return value;
  return Object.entries(value ?? {})
    .map(([name, text]) => `${name}=${text}`)
    .join("&");
}

function commandLines(entry: ServiceEntry): string[] {
  const command = commandOf(entry);
  if (command === undefined) return [];
  const when = entry.program === undefined ? ", where exec.allow names it" : "";
  const names = Object.entries(command.operations).map(
    ([name, { about }]) => `  ${name.padEnd(18)}${about}`,
  );
  const raw =
    command.raw === true
      ? [
          `  ${"get, post, call".padEnd(18)}any call that the rules allow, as ${command.name} get /path`,
        ]
      : [];
  return ["", `Command ${command.name} inside${when}:`, ...names, ...raw];
}

function headerLines(entry: ServiceEntry): string[] {
  const headers = Object.entries(entry.headers ?? {});
  if (headers.length === 0 || commandOf(entry) === undefined) return [];
  return [
    "",
    "Headers its command may be given, as --header 'NAME: VALUE':",
    ...headers.map(([name, { about = "", usual }]) => {
      const unless = usual === undefined ? "" : ` (${usual} unless given)`;
      return `  ${name.padEnd(22)}${about}${unless}`.trimEnd();
    }),
  ];
}

function grantText({
  name,
  keyless,
  program,
  login,
  hosts,
  ownHost,
  credential,
  channelNeeds,
}: ServiceEntry): string {
  const parts = [
    ...(keyless === true || program !== undefined ? [] : [`secret: "${name}"`]),
    ...(login === undefined ? [] : [`server: "${name}.example.com"`]),
    ...(ownHost === true && hosts.length === 0 ? ['url: "https://service.example.com"'] : []),
    ...(credential[0]?.sigv4 === undefined ? [] : ['aws: { region: "eu-central-1" }']),
    ...(program?.needs?.includes("allowHosts") === true ? ['allowHosts: ["*.example.org"]'] : []),
    ...(program?.options.includes("to") === true ? ['to: ["another-bot"]'] : []),
  ];
  const key = /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name}"`;
  const second =
    channelNeeds === undefined ? "" : `, "${channelNeeds}": { secret: "${channelNeeds}" }`;
  return `${key}: {${parts.length === 0 ? "" : ` ${parts.join(", ")} `}}${second}`;
}
