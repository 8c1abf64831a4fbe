import { isHeaderValue, type HeaderPlan } from "../../plan/index.ts";
import type { Header } from "../match.ts";
import { printable, Unusable } from "./readInput.ts";

/** What was said by `--header`, and all other words as they came. */
export interface ReadHeaders {
  /** Those that were given. */
  readonly asked: readonly Header[];
  /** Usual values of those that weren't. */
  readonly usual: readonly Header[];
  readonly words: readonly string[];
}

/**
 * Takes `--header 'Name: value'` out of a command's words. Only headers that the service lets an agent give are taken,
 * each once and spelled as the service names them; a value is printable ASCII and nothing else, so that it is
 * never another header or the end of the head. Those with a usual value get it where none was given.
 */
export function readHeaders(
  words: readonly string[],
  known: readonly HeaderPlan[] = [],
): ReadHeaders | Unusable {
  const given = new Map<string, string>();
  const rest: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word !== "--header") {
      rest.push(word);
      continue;
    }
    const [, name = "", value = ""] = /^([^:]*):[ \t]*(.*?)[ \t]*$/s.exec(words[++at] ?? "") ?? [];
    const header = known.find((each) => each.name.toLowerCase() === name.toLowerCase());
    if (header === undefined) return unknownHeader(name, known);
    if (given.has(header.name)) return new Unusable(`the header "${header.name}" is given twice`);
    if (!isHeaderValue(value))
      return new Unusable(
        `the value of "${header.name}" is printable ASCII on one line, at most 1024 characters`,
      );
    given.set(header.name, value);
  }
  const usual = known.flatMap((each): Header[] =>
    each.usual === undefined || given.has(each.name) ? [] : [[each.name, each.usual]],
  );
  return { asked: [...given], usual, words: rest };
}

function unknownHeader(name: string, known: readonly HeaderPlan[]): Unusable {
  if (known.length === 0) return new Unusable("this command takes no headers");
  const names = known.map((each) => each.name).join(", ");
  if (name === "") return new Unusable(`write it as --header 'NAME: VALUE'; NAME is ${names}`);
  return new Unusable(`"${printable(name)}" can't be given; headers are: ${names}`);
}

/** A call with an agent's headers. What the operation or the body has said already can't be said otherwise. */
export function withHeaders<Call extends { readonly headers: readonly Header[] }>(
  call: Call,
  { asked, usual }: ReadHeaders,
): Call | Unusable {
  const taken = new Set(call.headers.map(([name]) => name.toLowerCase()));
  const isTaken = ([name]: Header): boolean => taken.has(name.toLowerCase());
  const clash = asked.find(isTaken);
  if (clash !== undefined)
    return new Unusable(`"${clash[0]}" can't be given here: the call has it already`);
  const free = usual.filter((header) => !isTaken(header));
  return { ...call, headers: [...call.headers, ...asked, ...free] };
}
