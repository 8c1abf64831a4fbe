import type { EntryJson, EntryNotify } from "../catalogue/index.ts";
import { closest, type DeclaredChat, type Fault, type Path } from "../declaration/index.ts";
import type { BotPlan, ChatNotifyPlan, ChatPlace, InjectGrant, Json } from "./Plan.ts";
import type { KnownService } from "./resolveServices.ts";

/** The request that tells the owner in a chat, by the grant that is named; nothing, and a fault, where there is none. */
export function planChat(
  { bot, grant: name, to: declaredTo }: DeclaredChat,
  known: {
    readonly bots: readonly BotPlan[];
    readonly services: ReadonlyMap<string, KnownService>;
  },
  path: Path,
  faults: Fault[],
): ChatNotifyPlan[] {
  const wrong = (code: Fault["code"], key: string, message: string, hint: string): [] => {
    faults.push({ code, path: [...path, key], message, hint });
    return [];
  };
  const found = known.bots.find((each) => each.name === bot);
  if (found === undefined) {
    const names = known.bots.map((each) => each.name);
    return wrong("invalid", "bot", `there is no bot "${bot}"`, guess(bot, names));
  }
  const grant = found.grants.find((each) => each.name === name);
  if (grant === undefined) {
    const names = found.grants.map((each) => each.name);
    return wrong("invalid", "grant", `bot "${bot}" has no grant "${name}"`, guess(name, names));
  }
  const notify = grant.kind === "inject" ? known.services.get(grant.service)?.notify : undefined;
  if (grant.kind !== "inject" || notify === undefined) {
    const able = [...known.services.values()].filter((each) => each.notify !== undefined);
    const names = able.map((each) => each.name).toSorted();
    return wrong(
      "invalid",
      "grant",
      `nothing is known of how "${name}" sends a message`,
      `services that can: ${names.join(", ")}; others by a program: { command: ["/usr/local/bin/tell-me"] }`,
    );
  }
  const to = String(declaredTo);
  const { pattern, example } = notify.to;
  if (!new RegExp(`^(?:${pattern})$`).test(to))
    return wrong("invalid", "to", `this names no chat of "${name}"`, `as "${example}"`);
  const place = placeOf(grant, notify);
  const [host] = grant.hosts;
  // Without one the grant has a fault of its own.
  if (host === undefined || place === undefined) return [];
  return [
    {
      by: "chat",
      bot,
      grant: name,
      to,
      host: host.name,
      path: notify.path.replace("{to}", to),
      place,
      body: fill(notify.body, to) as ChatNotifyPlan["body"],
      ...(notify.saysOk === undefined ? {} : { saysOk: notify.saysOk }),
    },
  ];
}

/** The path's own place if it has `{secret}`, else the first header. */
function placeOf({ places }: InjectGrant, { path }: EntryNotify): ChatPlace | undefined {
  return path.includes("{secret}")
    ? (places.find((place) => place.in === "path" && path.startsWith(`${place.template}/`)) as
        ChatPlace | undefined)
    : places.find((place) => place.in === "header");
}

function fill(value: EntryJson, to: string): Json {
  if (value === "{to}") return to;
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map((each) => fill(each, to));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fill(each, to)]));
}

function isList(value: EntryJson): value is readonly EntryJson[] {
  return Array.isArray(value);
}

function guess(word: string, names: readonly string[]): string {
  const near = closest(word, names);
  if (near !== undefined) return `did you mean "${near}"?`;
  return names.length === 0 ? "there are none" : `there are: ${names.join(", ")}`;
}
