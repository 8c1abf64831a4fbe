import type { EntryCommand, EntryInput, EntryOperation } from "../catalogue/index.ts";
import type { Fault, Path } from "../declaration/index.ts";
import type { CommandPlan, InputPlan, OperationPlan } from "./CommandPlan.ts";
import { RAW_VERBS } from "./rawVerbs.ts";

/** Longest answer that an operation passes on, unless its entry says otherwise. */
const MOST_BYTES = 8 * 1024 * 1024;

const PLACEHOLDER = /\{([A-Za-z][A-Za-z0-9_]*)\}/g;
const OPERATION = /^[a-z][a-zA-Z0-9]*(?:[.-][a-z][a-zA-Z0-9]*)*$/;

/** What every command, or every one that makes any call, understands. */
const RESERVED: ReadonlySet<string> = new Set(["call", "help", ...RAW_VERBS.keys()]);

/** Resolves a service's command; what contradicts itself in it is a fault. */
export function planCommand(entry: EntryCommand, path: Path, faults: Fault[]): CommandPlan {
  const wrong = (at: Path, message: string, hint: string): void => {
    faults.push({ code: "invalid", path: at, message, hint });
  };
  if (!/^[a-z][a-z0-9-]{0,35}$/.test(entry.name))
    wrong([...path, "name"], "this can't be a command's name", "use a-z, 0-9 and hyphens");
  const operations = Object.entries(entry.operations)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, operation]) => {
      const at = [...path, "operations", name];
      if (!OPERATION.test(name) || RESERVED.has(name))
        wrong(at, "this can't be an operation's name", 'write it as "events.list"');
      return planOperation(name, operation, (message, hint) => {
        wrong(at, message, hint);
      });
    });
  return { name: entry.name, about: entry.about, raw: entry.raw === true, operations };
}

function planOperation(
  name: string,
  entry: EntryOperation,
  wrong: (message: string, hint: string) => void,
): OperationPlan {
  const input = Object.entries(entry.input ?? {}).map(planInput);
  const base = { name, about: entry.about, input };
  if ("handler" in entry) {
    return {
      ...base,
      does: { kind: "handled", handler: entry.handler },
      ...(entry.takesBody === true ? { takesBody: true } : {}),
    };
  }
  const [method = "", path = ""] = entry.call.split(" ");
  if (!/^[A-Z]{3,16}$/.test(method) || !path.startsWith("/"))
    wrong("an operation's call is a method and a path", 'write it as "GET /items/{id}"');
  const query = Object.fromEntries(
    Object.entries(entry.query ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  const body = entry.body ?? "none";
  const named = [
    ...placeholders(path),
    ...Object.values(query).flatMap(placeholders),
    ...(typeof body === "object" ? [body.input] : []),
  ];
  const known = new Set(input.map((each) => each.name));
  for (const each of named)
    if (!known.has(each)) wrong(`"{${each}}" is none of its inputs`, "declare it under input");
  const unused = input.find((each) => !named.includes(each.name));
  if (unused !== undefined && body !== "json")
    wrong(
      `input "${unused.name}" goes nowhere`,
      'use it in the path or query, or say body: "json"',
    );
  const optional = input.find((each) => !each.required && placeholders(path).includes(each.name));
  if (optional !== undefined)
    wrong(`input "${optional.name}" stands in the path, so it can't be left out`, "required: true");
  return {
    ...base,
    does: {
      kind: "http",
      method,
      path,
      ...(entry.host === undefined ? {} : { host: entry.host }),
      query,
      headers: entry.headers ?? {},
      body,
      answer: entry.answer ?? "text",
      mostBytes: entry.mostBytes ?? MOST_BYTES,
    },
    ...(body === "input" ? { takesBody: true } : {}),
  };
}

function planInput([name, entry]: [string, EntryInput]): InputPlan {
  const { type, about, min, max, oneOf } = entry;
  return {
    name,
    type,
    required: entry.required === true,
    about,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(oneOf === undefined ? {} : { oneOf }),
  };
}

/** The inputs that a text names in braces; `{secret}` is the credential's place. */
function placeholders(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].flatMap(([, name = ""]) =>
    name === "secret" ? [] : name,
  );
}
