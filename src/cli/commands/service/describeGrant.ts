import { commandOf, type EntryRule, type ServiceEntry } from "../../../catalogue/index.ts";
import { formatEntryRule } from "./describeService.ts";
import type { DeclaredGrantOf } from "./readDeclared.ts";

/** A rule that stands for the service's own list. */
const OWN = "...";

/** What a bot's grant makes of a service: what it narrows, adds and bounds, in plain words. */
export function describeGrant(
  entry: ServiceEntry,
  { bot, grant, commands }: DeclaredGrantOf,
): string[] {
  const { secret, url, server, allow, ask, deny, limits, content, dial, aws, ...others } = grant;
  const own = allow?.includes(OWN) ?? true;
  const listed = (allow ?? []).filter((rule): rule is EntryRule => rule !== OWN);
  const command = commandOf(entry)?.name;
  const always = entry.program !== undefined;
  return [
    `Bot "${bot}" is granted it${secret === undefined ? "" : `, with the secret "${secret}"`}:`,
    ...(url === undefined ? [] : [`  at ${url}`]),
    ...(server === undefined ? [] : [`  at ${server}`]),
    ...(aws === undefined ? [] : [`  for ${wordsOf(aws)}`]),
    ...(entry.allow.length === 0 && listed.length === 0 ? [] : allowLines(own, listed)),
    ...ruleLines("its owner is asked each time:", ask),
    ...ruleLines("never:", deny),
    ...(limits === undefined ? [] : [`  at most: ${wordsOf(limits)}`]),
    ...(content === undefined ? [] : [`  in messages: ${wordsOf(content)}`]),
    ...Object.entries(others).map(([key, value]) => `  ${key}: ${valueOf(value)}`),
    ...(dial === undefined ? [] : [`  dialled otherwise: ${wordsOf(dial)}`]),
    ...(command === undefined
      ? []
      : always || commands.includes(command)
        ? [`  with its command ${command}`]
        : [`  without its command ${command}, which exec.allow doesn't name`]),
  ];
}

function allowLines(own: boolean, listed: readonly EntryRule[]): string[] {
  if (own && listed.length === 0) return ["  all that it allows unless a grant says otherwise"];
  if (listed.length === 0) return ["  nothing without being asked"];
  const title = own ? "what it allows, and besides:" : "of all calls, only these:";
  return ruleLines(title, listed);
}

function ruleLines(title: string, rules: readonly EntryRule[] | undefined): string[] {
  if (rules === undefined || rules.length === 0) return [];
  return [`  ${title}`, ...rules.map((rule) => `    ${formatEntryRule(rule)}`)];
}

function wordsOf(record: object): string {
  return Object.entries(record)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${valueOf(value)}`)
    .join(", ");
}

function valueOf(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(String).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
