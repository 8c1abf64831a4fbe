import type { InputPlan, Json, JsonObject } from "../../plan/index.ts";

/** Deeper than any service's own. */
const DEEPEST = 64;

/** Why an input can't be what the operation takes, for whoever asked. */
export class Unusable {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/**
 * Makes an operation's input of the words after its name: one JSON object at most, and `name=value`,
 * whose value is read as the input's type wants it. Unknown names, names given twice, wrong types and what is
 * out of bounds are refused; nothing is guessed.
 *
 * @param stdin the JSON that a word `-` stands for.
 */
export function readInput(
  words: readonly string[],
  known: readonly InputPlan[],
  stdin: string | undefined,
): JsonObject | Unusable {
  const given = new Map<string, Json>();
  let seen = false;
  for (const word of words) {
    const whole = word === "-" ? (stdin ?? "") : word.startsWith("{") ? word : undefined;
    if (whole !== undefined && seen) return new Unusable("there may be one JSON object");
    seen ||= whole !== undefined;
    const pairs = whole === undefined ? readPair(word, known) : readObject(whole);
    if (pairs instanceof Unusable) return pairs;
    for (const [name, value] of pairs) {
      if (given.has(name)) return new Unusable(`"${printable(name)}" is given twice`);
      given.set(name, value);
    }
  }
  for (const [name, value] of given) {
    const input = known.find((each) => each.name === name);
    if (input === undefined) return unknownName(name, known);
    const wrong = faultOf(input, value);
    if (wrong !== undefined) return new Unusable(`"${name}" ${wrong}`);
  }
  const missing = known.find(({ name, required }) => required && !given.has(name));
  if (missing !== undefined) return new Unusable(`"${missing.name}" is missing: ${missing.about}`);
  return Object.fromEntries(given);
}

/** Reads JSON that must be one object, without duplicate meaning: no deeper than any service needs. */
export function readJson(text: string): Json | Unusable {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new Unusable("this is not well formed JSON");
  }
  return depth(value, 0) > DEEPEST
    ? new Unusable(`the JSON is nested more than ${DEEPEST} deep`)
    : (value as Json);
}

type Pairs = readonly (readonly [string, Json])[] | Unusable;

function readObject(text: string): Pairs {
  const value = readJson(text);
  if (value instanceof Unusable) return value;
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return Object.entries(value);
  return new Unusable("the input must be a JSON object");
}

function readPair(word: string, known: readonly InputPlan[]): Pairs {
  const mark = word.indexOf("=");
  if (mark <= 0)
    return new Unusable(`"${printable(word)}" is neither a JSON object nor name=value`);
  const name = word.slice(0, mark);
  const text = word.slice(mark + 1);
  const input = known.find((each) => each.name === name);
  if (input === undefined) return unknownName(name, known);
  if (input.type === "string") return [[name, text]];
  const value = readJson(text);
  return value instanceof Unusable ? new Unusable(`"${name}" ${wants(input)}`) : [[name, value]];
}

function unknownName(name: string, known: readonly InputPlan[]): Unusable {
  const names = known.map((each) => each.name).join(", ");
  return new Unusable(
    `there is no input "${printable(name)}"; ${names === "" ? "it takes none" : `it takes ${names}`}`,
  );
}

function faultOf(input: InputPlan, value: Json): string | undefined {
  const { type, min, max, oneOf } = input;
  if (!isOfType(type, value)) return wants(input);
  if (oneOf !== undefined && !(typeof value === "string" && oneOf.includes(value)))
    return `must be one of ${oneOf.join(", ")}`;
  const size =
    typeof value === "number"
      ? value
      : typeof value === "string" || Array.isArray(value)
        ? value.length
        : undefined;
  if (size === undefined) return undefined;
  if (min !== undefined && size < min) return `must be at least ${min}${unitOf(value)}`;
  if (max !== undefined && size > max) return `must be at most ${max}${unitOf(value)}`;
  return undefined;
}

function isOfType(type: InputPlan["type"], value: Json): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isSafeInteger(value);
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    case "string":
    case "boolean":
      return typeof value === type;
    default:
      return type satisfies never;
  }
}

function wants({ type }: InputPlan): string {
  return `must be ${/^[aio]/.test(type) ? "an" : "a"} ${type}`;
}

function unitOf(value: Json): string {
  if (typeof value === "string") return " characters long";
  return Array.isArray(value) ? " long" : "";
}

function depth(value: unknown, at: number): number {
  if (typeof value !== "object" || value === null || at > DEEPEST) return at;
  let deepest = at + 1;
  for (const each of Object.values(value)) deepest = Math.max(deepest, depth(each, at + 1));
  return deepest;
}

/** What came from outside, short and without anything that steers a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 60);
}
